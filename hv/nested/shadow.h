/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NPT02, by which the CPU runs L2: NPT12 (L1's, npt12.h) composed with NPT01
 * (L0's, hv/space.h). Filled on demand by nested page faults; bounded memory.
 *
 * NPT02 is a TLB in software, with a TLB's rule: what L1 changes in NPT12 is
 * effective once L1 has ordered a flush. A flush costs a look at the dirty bits
 * of NPT12's pages in NPT01; only tables that L1 has written to since the last
 * one are compared with NPT12 again (doc/nesting.md).
 *
 * Tables are shared by all CPUs, roots and ASIDs. Everything but the generation
 * is under one lock; roots, flushes and faults may call shoot() with it.
 * Nothing fails: without a free page, all tables are dropped and filled anew.
 */
#pragma once

#include "hv/nested/npt12.h"

#define SHADOW_MIN_PAGES 32 /* those of one fault: 14 at most */

/*
 * Changes when tables that shadow_root() gave are gone. A CPU compares it, with
 * what it was before its last shadow_root(), after it counts as in a guest for
 * shoot(), and does not enter L2 if it has changed.
 */
extern volatile u64 shadow_generation;

/* Once, after space_build(), with the memory for @pages tables. */
void shadow_init(size_t pages);

/* The root of NPT02, nCR3 of vmcb02. */
u64 shadow_root(const struct npt12 *npt);

/* L1 has ordered a flush, of whatever: NPT02 is at least as new as NPT12 was
 * when this began. The caller flushes its CPU's TLB and looks at the
 * generation. */
void shadow_flush(void);

enum shadow_result {
	SHADOW_FILLED,	/* L2 may try again */
	SHADOW_FAULT,	/* L1's: a nested page fault */
	SHADOW_TRAPPED, /* L0's: the page is in no NPT02 */
};

/*
 * A nested page fault of L2 at @l2pa with the CPU's @error. SHADOW_FAULT: *info
 * is EXITINFO1 for L1. SHADOW_TRAPPED: NPT12 allows the access, and *info is
 * the L1-physical address, which NPT01 traps, hides or does not have.
 */
enum shadow_result shadow_fault(const struct npt12 *npt, u64 l2pa, u64 error,
				u64 *info);

/* Forgets everything. All pages are free. */
void shadow_drop(void);

struct shadow_stats {
	u64 flushes;	 /* ordered */
	u64 revalidated; /* tables compared because L1 had written to them */
	u64 kept;	 /* entries of these that NPT12 still demands */
	u64 dropped;
	u64 fills;			    /* faults by outcome */
	u64 faults;			    /* L1's */
	u64 trapped;			    /* L0's */
	u64 evictions;			    /* because there was no page */
	u64 pages, free_pages, split_pages; /* of NPT01, for tracking */
};

/* At this moment. */
void shadow_read_stats(struct shadow_stats *to);
