/* SPDX-License-Identifier: Apache-2.0 */
/* A list of nodes of 64 bytes, in an order that no prefetcher finds: each load
 * has the address of the next. */
#pragma once

#include "workload/pattern.h"

#define CHASE_NODE 64

struct chase {
	struct plan plan;
	u64 base;
	u64 mask; /* nodes - 1: a power of two */
};

/* A generator of full period gives the order, a bijection the places. */
static inline u64 chase_next(const struct chase *c, u64 x)
{
	return (x * 6364136223846793005ull + 1442695040888963407ull) & c->mask;
}

static inline u64 chase_at(const struct chase *c, u64 x)
{
	return c->base + ((x * 0x9e3779b97f4a7c15ull) & c->mask) * CHASE_NODE;
}

static inline int chase_lay_out(void *pattern, struct memory *m)
{
	struct chase *c = pattern;
	u64 n = 1;

	while (2 * n * CHASE_NODE <= c->plan.bytes)
		n *= 2;
	c->mask = n - 1;
	c->base = memory_map(m, n * CHASE_NODE);
	return n > 1 ? 0 : -1;
}

static inline void chase_fill(const void *pattern, struct memory *m)
{
	const struct chase *c = pattern;

	for (u64 x = 0; x <= c->mask; x++)
		STORE(m, u64, chase_at(c, x), chase_at(c, chase_next(c, x)));
}

static inline void chase_run(const void *pattern, struct worker *worker, u64 n)
{
	const struct chase *c = pattern;
	struct worker local = *worker, *w = &local; /* in registers */
	u64 at = w->at[0];

	if (!at) {
		w->at[1] = draw(w) & c->mask;
		at = chase_at(c, w->at[1]);
	}
	for (u64 i = 0; i < n; i++) {
		at = LOAD(w->m, u64, at,
			  chase_at(c, w->at[1] = chase_next(c, w->at[1])));
		w->sum += at - c->base;
		WORK(w->m, 6);
	}
	w->at[0] = at;
	*worker = local;
}

static const struct pattern chase_pattern = {
	.name = "chase",
	.size = sizeof(struct chase),
	.operations = 100 << 20,
	.batch = 4096,
	.lay_out = chase_lay_out,
	.fill = chase_fill,
	.run = chase_run,
};
