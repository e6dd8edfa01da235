/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which accesses of a run go into its trace: what --skip, --limit, --window
 * and --every say. Pure; whoever makes a trace asks limits_take() once for
 * each access, in order. Events (VMAs, threads) are always recorded, so that a
 * window knows its address space.
 */
#pragma once

#include "lib/nbt/nbt.h"

struct capture_limits {
	u64 skip;   /* accesses at the start that do not count (warm-up) */
	u64 limit;  /* accesses recorded at most; 0 = all */
	u64 window; /* of each @every accesses, the first @window; 0 = all */
	u64 every;
	bool marked; /* only what lies between MARK_BEGIN and MARK_END */
	enum nbt_codec codec;
};

struct limits_state {
	u64 seen;  /* since skipping and windows began */
	u64 taken; /* recorded */
};

/* Is the next access recorded? */
static inline bool limits_take(const struct capture_limits *l,
			       struct limits_state *s)
{
	u64 n = s->seen++;

	if (n < l->skip)
		return false;
	if (l->window && (n - l->skip) % l->every >= l->window)
		return false;
	s->taken++;
	return true;
}

/* Nothing more will be. */
static inline bool limits_reached(const struct capture_limits *l,
				  const struct limits_state *s)
{
	return l->limit && s->taken >= l->limit;
}
