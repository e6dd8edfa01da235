/* SPDX-License-Identifier: Apache-2.0 */
/* The look-up of walk/assoc.h. "lookup.h" is one of walk/isa/: which one is a
 * matter of the include path. */
#pragma once

#include "lookup.h"
#include "walk/assoc.h"

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

static inline bool assoc_find(struct assoc *a, u64 number)
{
	return assoc_touch(a, (u32)number & a->mask, (u32)(number >> a->shift),
			   NULL);
}

/* Brings the set of @number into the host's caches. */
static inline void assoc_prefetch(const struct assoc *a, u64 number)
{
	__builtin_prefetch(a->tags + (size_t)((u32)number & a->mask) * a->lanes,
			   1);
}
