/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a run, seen from a plugin: a guest writes to the I/O port that
 * switches its machine off. The emulator stops some while after that, how many
 * instructions later is chance, so what is to repeat has to end there.
 *
 * A write that traps into a hypervisor is seen as well; the caller knows.
 */
#pragma once

#include "capture/qemu_plugin.h"

/* Adds "PORT/BITS", hexadecimal: a write to PORT of a value with all BITS.
 * Returns NULL or what is wrong with the text. */
const char *endport_add(const char *text);

/* Calls @hit, once endport_add() was called, before each such write. */
void endport_start(qemu_plugin_id_t id, void (*hit)(void));

/* For each instruction that is translated. */
void endport_watch(struct qemu_plugin_insn *insn, const u8 *bytes, size_t len);
