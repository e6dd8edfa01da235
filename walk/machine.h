/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modelled machine: cores with TLBs and private caches, and the cache that
 * they share. What it leaves out: doc/walk.md.
 *
 * Called by walk/core.c (the program's accesses) and walk/mmu.c (the walkers').
 * One row, one host thread. machine_init() fails for lack of memory only: the
 * profile has been checked.
 */
#pragma once

#include "lib/err.h"
#include "walk/assoc.h"
#include "walk/mmu.h"
#include "walk/profile.h"

struct machine;
struct block; /* of mmu_alloc() */
struct owned;

struct core {
	struct assoc itlb[PAGE_SIZES], dtlb[PAGE_SIZES];
	struct assoc stlb[PAGE_SIZES];	   /* a shared one: only [SIZE_4K] */
	struct assoc *stlb_of[PAGE_SIZES]; /* where entries of a size are */
	struct assoc l1i, l1d, l2;
	struct assoc *l3; /* the machine's */
	struct machine *machine;
	struct mmu mmu;
	struct block *blocks;
	struct owned *owned; /* arrays of mmu_assoc() */
	u16 process;	     /* that ran last */
	bool used;	     /* anything has run */
};

struct machine {
	const struct profile *profile;
	struct assoc l3;
	bool l3_inclusive;
	enum entry pte_entry;
	u32 cycles[HITS]; /* of an access, by where it hits */
	u32 cores;
	struct core *core;
};

/* @cores of @p's are made: those that the trace's threads need. */
int machine_init(struct machine *m, const struct profile *p, u32 cores,
		 struct err *err);
void machine_free(struct machine *m);

/* Forgets what the TLBs of all cores have of the page of @va. */
void machine_drop_page(struct machine *m, va_t va, enum page_size size);

void core_flush_tlbs(struct core *c);

/* Entries of sizes that share a TLB differ by the two upper bits of the tag,
 * which page numbers of keys leave free (walk/addr.h). */
static inline u32 tlb_tag(const struct assoc *tlb, u64 page, enum page_size s)
{
	return (u32)(page >> tlb->shift) | (u32)s << 30;
}

/* For assert(): all structures hold their invariants. */
bool machine_check(const struct machine *m);
