/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buddy allocator of frames: blocks of 2^0 to 2^10 pages at multiples of
 * their size, halved when smaller ones are wanted, joined as soon as both
 * halves are free. Of the blocks that fit best it takes the lowest, where Linux
 * takes the one freed last: which is what makes memory here as dense as it can
 * be.
 *
 * Two bits per frame that was ever in use. For walk/frames.c; one thread.
 */
#pragma once

#include "walk/bits.h"

#define BUDDY_ORDERS 11
#define BUDDY_NONE   (~0ull)

struct buddy {
	u64 frames;			  /* a multiple of 2^10 */
	struct lowest free[BUDDY_ORDERS]; /* blocks of that order */
	u64 used;			  /* frames */
};

/* < 0: no memory. */
int buddy_init(struct buddy *b, u64 frames);
void buddy_free_all(struct buddy *b);

/* The first frame of a block of 2^@order, or BUDDY_NONE. */
u64 buddy_take(struct buddy *b, unsigned order);
void buddy_give(struct buddy *b, u64 frame, unsigned order);
