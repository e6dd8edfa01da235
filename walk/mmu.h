/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One core of the modelled machine, as a design sees it: it reads table entries
 * by mmu_ref() and asks m->space where they are.
 */
#pragma once

#include "walk/addr.h"
#include "walk/design.h"
#include "walk/space.h"
#include "walk/stats.h"

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

/* Zeroed memory that lives as long as the row; NULL if there is none. */
void *mmu_alloc(struct mmu *m, size_t size);

/* Adds to the row's software cost: exits to a hypervisor, and instructions of
 * the OS or hypervisor, by cause (walk/stats.h). */
void mmu_charge(struct mmu *m, enum charge cause, u64 times, u64 instructions);
