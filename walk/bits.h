/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bit maps of huge ranges, most of which nobody touches: memory comes, in pages
 * of the host, where bits are set. Not for bits that are set all over at
 * random, each of which would cost such a page.
 *
 * Used by walk/dim, tea and buddy. One thread at a time may write.
 */
#pragma once

#include "lib/types.h"

/* A map of @n bits, all 0; NULL if there is no memory. */
u64 *bits_new(u64 n);
void bits_free(u64 *bits, u64 n);

static inline bool bit_get(const u64 *bits, u64 i)
{
	return bits[i >> 6] >> (i & 63) & 1;
}

/* Sets bit @i to @to; false if it had that value. */
static inline bool bit_put(u64 *bits, u64 i, bool to)
{
	if (bit_get(bits, i) == to)
		return false;
	bits[i >> 6] ^= 1ull << (i & 63);
	return true;
}

/* The first bit of value @value in [@from, @end), or @end. */
u64 bits_find(const u64 *bits, u64 from, u64 end, bool value);

/* How many of [@from, @end) are 1. */
u64 bits_count(const u64 *bits, u64 from, u64 end);

/* Sets [@from, @end) to @to. */
void bits_fill(u64 *bits, u64 from, u64 end, bool to);

/* A map whose lowest bit that is set is found in a few steps: a bit of level
 * i + 1 tells whether a word of level i has any. */
#define LOWEST_LEVELS 6
struct lowest {
	u64 n;
	u64 *level[LOWEST_LEVELS];
};

int lowest_init(struct lowest *l, u64 n); /* < 0: no memory */
void lowest_free(struct lowest *l);

/* The lowest bit, or n. */
u64 lowest_find(const struct lowest *l);

/* As bit_put(). */
bool lowest_put(struct lowest *l, u64 i, bool to);
