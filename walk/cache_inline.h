/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data caches: one access to a line, by the program or by a walker. Inline
 * since every access of a trace comes through here.
 */
#pragma once

#include "walk/assoc_inline.h"
#include "walk/machine.h"

/* For an inclusive L3: what it has lost, the caches above lose, too. */
void cache_evict(struct machine *m, u64 line);

static inline enum hit cache_l3(struct core *c, u64 line)
{
	struct assoc *l3 = c->l3;
	u32 set = (u32)line & l3->mask, victim;

	if (!c->machine->l3_inclusive)
		return assoc_find(l3, line) ? HIT_L3 : HIT_MEMORY;
	if (assoc_touch(l3, set, (u32)(line >> l3->shift), &victim))
		return HIT_L3;
	if (victim != ASSOC_NONE)
		cache_evict(c->machine, (u64)victim << l3->shift | set);
	return HIT_MEMORY;
}

static inline enum hit cache_l2(struct core *c, u64 line)
{
	return assoc_find(&c->l2, line) ? HIT_L2 : cache_l3(c, line);
}

static inline enum hit cache_l1(struct core *c, struct assoc *l1, u64 line)
{
	return assoc_find(l1, line) ? HIT_L1 : cache_l2(c, line);
}

/* A walker's access. */
static inline enum hit cache_walk(struct core *c, u64 line)
{
	switch (c->machine->pte_entry) {
	case ENTRY_L1:
		return cache_l1(c, &c->l1d, line);
	case ENTRY_L2:
		return cache_l2(c, line);
	case ENTRY_L3:
		break;
	}
	return cache_l3(c, line);
}
