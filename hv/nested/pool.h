/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of NPT02, a fixed number of them, and what is known of each table.
 * Pages that NPT01 needs to be split (track.h) come from here, too.
 *
 * A page that is put back may still be in other CPUs' TLBs as a table: it keeps
 * what it holds until pool_get() has nothing else, and shoots it down. Callers
 * hold the lock of shadow.c.
 */
#pragma once

#include "hv/mem.h"
#include "lib/types.h"

/* A table of NPT02; zeroed by pool_get(). */
struct shadow_table {
	u64 source; /* what it shadows: npt02.h */
	u64 *leaf;  /* NPT01's entry of source; NULL: not tracked */
	size_t slot;
	struct shadow_table *next; /* in its bucket, or not in use */
	struct shadow_table *collected;
	u32 refs; /* entries of other tables that lead here */
	u8 level, format;
	bool used;			 /* it is in a bucket */
	u64 filled[PTES_PER_TABLE / 64]; /* which entries are not 0 */
};

/* Once, at boot; tests more often. */
void pool_init(size_t pages);

/* A zeroed page; NULL: there is none. */
struct shadow_table *pool_get(void);
void pool_put(struct shadow_table *t);

/* All of them, and those that pool_get() could give. */
size_t pool_size(void);
size_t pool_free(void);

/* By number; by the physical address of the page. */
struct shadow_table *pool_at(size_t i);
struct shadow_table *pool_of(u64 pa);

u64 *pool_page(const struct shadow_table *t);
