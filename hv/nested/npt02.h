/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of NPT02's tables: which there are, and their entries with what
 * hangs on them. A table is known by what it shadows (source), its level and
 * its format:
 *
 *   a table of NPT12    its L1-physical address, the format of that NPT12
 *   PAE's level 3       the same for its root: one entry, made up by L0
 *   part of a page      where that begins, NPT02_SPLIT: of a large page of
 *                       NPT12 that NPT01 cannot map as one
 *
 * Rights are in entries only, so one table may be below several others. A table
 * goes when the last entry that leads to it does; those of level 3 have none.
 * Callers hold the lock of shadow.c.
 */
#pragma once

#include "hv/nested/pool.h"
#include "hv/ptable.h"
#include "lib/x86.h"

#define NPT02_SPLIT 0 /* formats above it are those of NPT12 */
#define NPT02_TOP   (PT_LEVELS - 1)

/* In an entry, for software: it leads to a table. */
#define NPT02_TABLE 0x200ull

/* After pool_init(). */
void npt02_init(void);

/* The table, a new one if need be; NULL: there is no page for it. @tracked:
 * L1's writes to the source are followed (track.h). */
struct shadow_table *npt02_table(u64 source, unsigned level, unsigned format,
				 bool tracked);

/* The table, if there is one. */
struct shadow_table *npt02_find(u64 source, unsigned level, unsigned format);

/* The table that @entry leads to; NULL: a page or nothing. */
struct shadow_table *npt02_child(u64 entry);

/* Changes entry @i, while CPUs may be using it. */
void npt02_set(struct shadow_table *t, unsigned i, u64 entry);

/* The first entry from @i on that is not 0; PTES_PER_TABLE: none. Inline for
 * the loop over a full table: a third of what a flush costs for one. */
static inline unsigned npt02_next(const struct shadow_table *t, unsigned i)
{
	for (; i < PTES_PER_TABLE; i = (i | 63) + 1) {
		u64 bits = t->filled[i / 64] >> i % 64;

		if (bits)
			return i + (unsigned)__builtin_ctzll(bits);
	}
	return PTES_PER_TABLE;
}

/* Takes away a table to which no entry leads. */
void npt02_drop(struct shadow_table *t);

/* Takes away all. */
void npt02_reset(void);
