/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two loops of decoding, once for each instruction set: kernel_*.c. All
 * give identical results for every input, damaged ones included, and neither
 * read nor write outside what they are given. Which one runs is decided once,
 * by the CPU (kernel.c). Private to lib/nbt.
 */
#pragma once

#include "lib/types.h"

/* A column of deltas: see NBT_GROUP in format.h. */
struct nbt_deltas {
	const u8 *control; /* 2 bits each, @n rounded up to 8 */
	const u8 *data;
	const u8 *end; /* of what may be read: the slack's end */
	u64 base;
	u8 class[4]; /* 0 to 8 */
	size_t n;
	size_t ahead; /* from here to what is read next; 0: not known */
};

struct nbt_kernel {
	const char *name;
	bool (*supported)(void);
	/* Writes @d->n values, rounded up to 8. Returns NULL if the data ends
	 * too early, or where it ended; puts into @width a value with as many
	 * bits as the widest of the values has, sign-extended. */
	const u8 *(*deltas)(const struct nbt_deltas *d, u64 *out, u64 *width);
	/* Writes @n values, rounded up to 32, from @n / 2 bytes, rounded up
	 * to 16. The first one is in the lower half of the first byte. */
	void (*nibbles)(const u8 *in, const u8 value[16], u8 *out, size_t n);
};

extern const struct nbt_kernel nbt_kernel_avx512;
extern const struct nbt_kernel nbt_kernel_avx2;
extern const struct nbt_kernel nbt_kernel_portable;

/* The one that runs. */
const struct nbt_kernel *nbt_kernel(void);
