/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine of a level boots: QEMU's arguments for kernels, initramfs,
 * images, a payload and its devices. Part of lab/machine.c, its only caller.
 * Pure.
 *
 *   Linux       kernel and initramfs of the images, which come as RAM
 *   --arch i386 kernel and initramfs from the job, and nothing else
 *   payload     the file, and what such programs look for in a PC
 *   nestbox.elf the outer machine only: it, then as modules each one that
 *               runs on it, then what they all run for
 */
#pragma once

#include "lab/machine.h"

void boot_args(struct args *a, const struct spec *s, const struct cache *c,
	       const struct wires *w, int level);

/*
 * Which serial port of the outer machine, counted from 0, is @level's console.
 * nestbox.elf leaves the first ones to its guest, as the guest expects them,
 * and takes one behind.
 */
int boot_port(const struct spec *s, int level);
