/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `make images` has left in the cache folder, $NESTBOX_CACHE or
 * ~/.cache/nestbox: the outer emulator and the images. Read only; the scripts
 * in tools/ write it.
 */
#pragma once

#include <stdbool.h>

#include "lab/args.h"
#include "lib/err.h"

struct cache {
	char dir[512];
	/* emulator */
	char emulator[512];
	char emulator_version[32];
	/* "repaired", "stock": tools/svm-repair */
	char injection[16], pdpte[16], ignne[16];
	char emulator_data[1024]; /* comma-separated folders for -L, or "" */
	/* images */
	char kernel[512], initrd[512], tools[512];
	char i386_kernel[512], i386_initrd[512]; /* of tools/kernels.sh */
	long tools_size;
	char kernel_version[64], inner_qemu[64], sha256[80];
	char tick[32]; /* hexadecimal address of the timer handler, or "" */
};

/* Finds the folder only. */
int cache_locate(struct cache *c, struct err *err);

/* Reads all; names what is missing and how to get it. */
int cache_load_emulator(struct cache *c, struct err *err);
int cache_load_images(struct cache *c, struct err *err);

/* Has tools/kernels.sh run? Asked after cache_load_images(). */
bool cache_has_i386(const struct cache *c);

/* All three in a row, for a command that needs everything. */
int cache_open(struct cache *c, struct err *err);

/* First emulator with plugin interface 3, which the instrument needs. */
#define PLUGIN_QEMU 901

/* major * 100 + minor of the outer emulator; 0 if it cannot be told. */
int cache_emulator_number(const struct cache *c);

/* A file that was built beside this program, such as "switchcount.so"; the
 * caller frees it. */
char *built_path(const char *name);
