/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One radix tree and the page-walk caches in front of it, for the designs that
 * walk one: radix, shadow, and those that leave some walks to radix.
 *
 * A PWC of level n holds entries of level n that point to tables; a walk
 * begins below the lowest level that hits. All are asked at once: the cycles of
 * one count once.
 */
#pragma once

#include "walk/assoc_inline.h"
#include "walk/mmu.h"
#include "walk/profile.h"

#define RADIX_TOP 5 /* levels of the largest tree */

/* Names of the references of a walk: of one tree, of two. */
#define RADIX_STEPS_NATIVE "L5", "L4", "L3", "L2", "L1"
#define RADIX_STEPS_LINE(g) \
	"hL5(" g ")", "hL4(" g ")", "hL3(" g ")", "hL2(" g ")", "hL1(" g ")"
#define RADIX_STEPS_BOTH                                                 \
	RADIX_STEPS_LINE("gL5"), "gL5", RADIX_STEPS_LINE("gL4"), "gL4",  \
		RADIX_STEPS_LINE("gL3"), "gL3", RADIX_STEPS_LINE("gL2"), \
		"gL2", RADIX_STEPS_LINE("gL1"), "gL1",                   \
		RADIX_STEPS_LINE("page")

struct tree {
	const struct dim *dim;
	struct assoc pwc[PWC_LEVELS];
	u32 pwc_cycles;
};

/* With PWCs of geometry @pwc; @t lies in memory of mmu_alloc(). */
static inline int tree_start(struct mmu *m, struct tree *t,
			     const struct dim *dim, const struct geometry *pwc,
			     struct err *err)
{
	t->dim = dim;
	for (int i = PWC_LEVELS - 1; i >= 0; i--) {
		if (mmu_assoc(m, &t->pwc[i], &pwc[i], err))
			return -1;
		if (pwc[i].entries)
			t->pwc_cycles = pwc[i].cycles;
	}
	return 0;
}

/* The level of the first entry to read: the one below the PWC that hits. */
static inline u32 tree_first_level(struct tree *t, u64 in, u32 leaf)
{
	u32 level = leaf + 1;

	while (level <= t->dim->levels &&
	       !assoc_find(&t->pwc[level - 2],
			   dim_entry_number(t->dim, in, level)))
		level++;
	return level - 1;
}

/* Walks a tree whose tables are in host memory; references are numbered from
 * @step on as if it had RADIX_TOP levels. */
static inline u32 tree_walk(struct mmu *m, struct tree *t, u64 in,
			    enum page_size size, unsigned step)
{
	u32 leaf = 1 + size, cycles = t->pwc_cycles;

	for (u32 level = tree_first_level(t, in, leaf); level >= leaf; level--)
		cycles += mmu_ref(m, step + RADIX_TOP - level,
				  (hpa_t){dim_entry(t->dim, in, level)});
	return cycles;
}

static inline void tree_flush(struct tree *t)
{
	for (int i = 0; i < PWC_LEVELS; i++)
		assoc_flush(&t->pwc[i]);
}

/* INVLPG: drops what the PWCs have for @in. */
static inline void tree_drop(struct tree *t, u64 in)
{
	for (u32 level = 2; level <= t->dim->levels; level++) {
		struct assoc *pwc = &t->pwc[level - 2];
		u64 entry = dim_entry_number(t->dim, in, level);

		assoc_drop(pwc, (u32)entry & pwc->mask,
			   (u32)(entry >> pwc->shift));
	}
}
