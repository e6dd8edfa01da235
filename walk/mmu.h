/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One core of the modelled machine, as a design sees it: it reads table entries
 * by mmu_ref() and asks m->space where they are. What a design keeps of itself
 * it gets from mmu_alloc() and mmu_assoc(), and never frees.
 */
#pragma once

#include "walk/addr.h"
#include "walk/assoc.h"
#include "walk/design.h"
#include "walk/space.h"
#include "walk/stats.h"

struct geometry;

struct mmu {
	const struct profile *profile;
	const struct design *design;
	struct space *space; /* what is mapped where; shared by all cores */
	enum env env;
	void *design_state;
	struct walk_stats *stats;
	struct core *core; /* TLBs and caches: walk/machine.h */
};

/*
 * Reads the table entry at @pa for reference @step of the walk (an index into
 * design->steps): through the caches, from the level on at which the profile
 * lets table entries enter. Counts it. Returns its latency in cycles.
 */
u32 mmu_ref(struct mmu *m, unsigned step, hpa_t pa);

/* As mmu_ref() for a prefetch: fills caches, counted apart, no latency. */
void mmu_prefetch(struct mmu *m, hpa_t pa);

/* For design->ahead(): @pa will soon be read. Changes nothing in the model. */
void mmu_ahead(struct mmu *m, hpa_t pa);

/* Zeroed memory, at a multiple of 64, that lives as long as the row; NULL if
 * there is none. */
void *mmu_alloc(struct mmu *m, size_t size);

/* Makes @a, which lies in memory of mmu_alloc(), an array of geometry @g. */
int mmu_assoc(struct mmu *m, struct assoc *a, const struct geometry *g,
	      struct err *err);

/* Ends what mmu_alloc() and mmu_assoc() gave; for walk/machine.c. */
void mmu_free(struct mmu *m);

/* Adds to the row's software cost: exits to a hypervisor, and instructions of
 * the OS or hypervisor, by cause (walk/stats.h). */
void mmu_charge(struct mmu *m, enum charge cause, u64 times, u64 instructions);

/*
 * What @c costs whatever the design is: the fault after which a page is mapped.
 * Those of a hypervisor are exits; a fault that L0 hands to L1 is two, since
 * L1's VMRUN is one, too. Who tells a design of changes calls it as well.
 */
static inline void mmu_charge_fault(struct mmu *m, const struct space_change *c)
{
	if (c->what != SPACE_MAPPED)
		return;
	if (c->dim == 0)
		mmu_charge(m, CHARGE_PAGE_FAULT, 1, 0);
	else
		mmu_charge(m, CHARGE_NPT_FAULT, space_dims(m->space) - c->dim,
			   0);
}
