/* SPDX-License-Identifier: Apache-2.0 */
/* GUPS (RandomAccess): read, modify, write 8 bytes anywhere in a table. */
#pragma once

#include "workload/pattern.h"

struct gups {
	struct plan plan;
	u64 table, n;
};

static inline int gups_lay_out(void *pattern, struct memory *m)
{
	struct gups *g = pattern;

	g->n = g->plan.bytes / 8;
	g->table = memory_map(m, g->n * 8);
	return g->n ? 0 : -1;
}

static inline void gups_fill(const void *pattern, struct memory *m)
{
	const struct gups *g = pattern;

	for (u64 i = 0; i < g->n; i++)
		STORE(m, u64, g->table + 8 * i, i);
}

static inline void gups_run(const void *pattern, struct worker *worker, u64 n)
{
	const struct gups *g = pattern;
	struct worker local = *worker, *w = &local; /* in registers */
	u64 table = g->table, size = g->n;

	for (u64 i = 0; i < n; i++) {
		u64 random = draw(w), at = table + 8 * below(random, size);

		WORK(w->m, 17);
		STORE(w->m, u64, at, LOAD_ANY(w->m, u64, at, 0) ^ random);
		w->sum += at - table;
	}
	*worker = local;
}

static const struct pattern gups_pattern = {
	.name = "gups",
	.size = sizeof(struct gups),
	.operations = 100 << 20,
	.batch = 4096,
	.lay_out = gups_lay_out,
	.fill = gups_fill,
	.run = gups_run,
};
