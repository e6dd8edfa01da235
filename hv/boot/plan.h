/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parts of an image file go where in L1's memory. The parsers of images
 * make a plan; the hypervisor carries it out: for each segment, copy
 * file_size bytes from the file's offset to dest; a payload's rest up to
 * mem_size is zeroed. The file itself must not lie where a segment goes, or
 * else all of it must lie just there: plan_in_place().
 *
 * Segments are in no order; plan_add() lets in only what lies in the file,
 * does not wrap around and overlaps no other segment.
 */
#pragma once

#include "hv/boot/memmap.h"
#include "lib/phys.h"

#define PLAN_SEGMENTS 16

struct plan_segment {
	u64 dest;   /* physical address */
	u64 offset; /* in the file */
	u64 file_size;
	u64 mem_size; /* not 0, not below file_size */
};

struct plan {
	struct plan_segment segment[PLAN_SEGMENTS];
	size_t n;
	u64 entry; /* physical address */
	u64 low;   /* the first address of all segments */
	u64 high;  /* the end of all segments */
};

/* A segment of no size in memory is left out. @size is the file's. */
int plan_add(struct plan *p, const struct plan_segment *s, u64 size,
	     const char **why);

/* True if the entry is in what is copied from the file. */
bool plan_has_entry(const struct plan *p);

/* True if a file at @file (physical) has all segments where they go. */
bool plan_in_place(const struct plan *p, u64 file);

/* True if all segments go to RAM that is not busy. */
bool plan_fits(const struct plan *p, const struct mem_map *map,
	       const struct mem_range *busy, size_t n_busy);
