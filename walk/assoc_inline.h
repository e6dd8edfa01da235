/* SPDX-License-Identifier: Apache-2.0 */
/* The look-up of walk/assoc.h. "lookup.h" is one of walk/isa/: which one is a
 * matter of the include path. */
#pragma once

#include "lookup.h"
#include "walk/assoc.h"

/*
 * Looks @tag up in @set and makes it the most recent; on a miss it replaces
 * the policy's victim, which goes to *@victim (ASSOC_NONE if that way was
 * empty; @victim may be NULL). Returns whether it hit.
 */
static inline bool assoc_touch(struct assoc *a, u32 set, u32 tag, u32 *victim)
{
	u32 *s = a->tags + (size_t)set * a->lanes;

	switch (a->shape) {
	case SHAPE_4:
		return lookup_4(s, tag, a->last, victim);
	case SHAPE_8:
		return lookup_8(s, tag, a->last, victim);
	case SHAPE_16:
		return lookup_16(s, tag, a->last, victim);
	case SHAPE_SCALAR:
		return assoc_touch_scalar(a, set, tag, victim);
	case SHAPE_EMPTY:
		break;
	}
	if (victim)
		*victim = ASSOC_NONE;
	return false;
}

/* As assoc_touch() for the page, prefix or line number @number, whose low
 * bits are the set and whose others are the tag. */
static inline bool assoc_find(struct assoc *a, u64 number)
{
	return assoc_touch(a, (u32)number & a->mask, (u32)(number >> a->shift),
			   NULL);
}

/* Brings the set of @number into the host's caches. Not by gcc's builtin:
 * functions that only prefetch it takes for ones that do nothing, and drops
 * the calls. */
static inline void assoc_prefetch(const struct assoc *a, u64 number)
{
	u32 set = (u32)number & a->mask;

	__asm__ volatile("prefetcht0 (%0)"
			 :
			 : "r"(a->tags + (size_t)set * a->lanes));
}
