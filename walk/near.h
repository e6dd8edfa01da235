/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses that need no look-up. A line (or page) that was one of the last few
 * accesses' is in any LRU set of at least NEAR ways: a sure hit. Such an access
 * only moves the line to the front of its set; if the same line comes again
 * soon, and nothing but sure hits in between, that access does it as well, and
 * this one can be left out. So of loops that go through some arrays in step,
 * only the first and last accesses to each line are looked up. Exact.
 */
#pragma once

#include "lib/types.h"

#define NEAR 4 /* accesses to look back and ahead */

struct near {
	u32 n;
	u8 *drop;	/* [n]: 1 = to be left out */
	u8 *same[NEAR]; /* [d - 1][i]: 1 = as d accesses before */
	u8 *hit;	/* [i]: 1 = one of them */
};

/* Bytes that near_init() needs for @max accesses. */
#define NEAR_BYTES(max) ((NEAR + 2) * ((size_t)(max) + (size_t)2 * NEAR))

void near_init(struct near *w, u8 *bytes, u32 max);

/* Compares accesses: equal if they differ in the lowest @shift bits only. */
void near_compare(struct near *w, const u64 *address, unsigned shift, u32 n);

/* Before access @at, something else used the sets: nothing is sure across. */
void near_barrier(struct near *w, u32 at);

/* Fills w->drop; returns how many there are. */
u32 near_find(struct near *w);
