/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FRAMES_BUDDY: which frame a dimension's pages and tables got, from a buddy
 * allocator of its own, when they were first touched. The dimension's memory is
 * as large as its input space; its first frame is nobody's.
 *
 * Input of dimension 0 are keys, of which a program may touch few, far from
 * each other: a hash table has its pages, in parts that grow one by one so that
 * there are never two of the whole; 9 to 11 bytes a page. Input of the others
 * is memory that an allocator has handed out, from its lowest frame on: an
 * array, 4 bytes a page.
 *
 * For walk/dim.[ch]; one thread at a time may write.
 */
#pragma once

#include "walk/addr.h"
#include "walk/buddy.h"

#define TABLE_LEVELS 5

/* Frames by page number: slots of page << 32 | frame + 1, linear probing. */
#define PART_BITS 6
struct part {
	u64 *slot;
	u64 size, n;
};

struct frame_map {
	struct buddy buddy;
	unsigned in_bits;
	struct part part[1 << PART_BITS];
	u32 *small;		      /* frame + 1 of a page, if not hashed */
	u32 *large;		      /* ... of a chunk */
	u32 *table[TABLE_LEVELS + 1]; /* ... of a table */
};

/* @hashed: few of the pages will be touched. NULL: no memory. */
struct frame_map *frames_new(unsigned in_bits, bool hashed);
void frames_free(struct frame_map *f);

/* Output address of the page or table of that number; 0 if it has no frame. */
u64 frames_page(const struct frame_map *f, u64 page, enum page_size size);
u64 frames_table(const struct frame_map *f, unsigned level, u64 n);

/* Takes a frame for it. < 0: there is none, or no memory to note it. */
int frames_add_page(struct frame_map *f, u64 page, enum page_size size);
int frames_add_table(struct frame_map *f, unsigned level, u64 n);

/* Gives it back. */
void frames_drop_page(struct frame_map *f, u64 page, enum page_size size);
void frames_drop_table(struct frame_map *f, unsigned level, u64 n);

/* The frame of page @from becomes that of @to, which has none; < 0: no
 * memory. */
int frames_move_page(struct frame_map *f, u64 from, u64 to,
		     enum page_size size);

/* A large page becomes 512 small ones, in the same frames; < 0: no memory. */
int frames_split(struct frame_map *f, u64 chunk);
