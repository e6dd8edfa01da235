/* SPDX-License-Identifier: Apache-2.0 */
/* STREAM's triad: a[i] = b[i] + s * c[i]. Threads share the arrays out. */
#pragma once

#include "workload/pattern.h"

struct stream {
	struct plan plan;
	u64 a, b, c;
	u64 n; /* elements of a thread */
};

static inline int stream_lay_out(void *pattern, struct memory *m)
{
	struct stream *s = pattern;
	u64 bytes;

	s->n = s->plan.bytes / 24 / s->plan.threads;
	bytes = s->n * s->plan.threads * 8;
	s->a = memory_map(m, bytes);
	s->b = memory_map(m, bytes);
	s->c = memory_map(m, bytes);
	return s->n ? 0 : -1;
}

static inline void stream_fill(const void *pattern, struct memory *m)
{
	const struct stream *s = pattern;

	for (u64 i = 0; i < s->n * s->plan.threads; i++) {
		STORE(m, double, s->a + 8 * i, 0);
		STORE(m, double, s->b + 8 * i, (double)(i & 1023));
		STORE(m, double, s->c + 8 * i, 2);
	}
}

static inline void stream_run(const void *pattern, struct worker *worker, u64 n)
{
	const struct stream *s = pattern;
	struct worker local = *worker, *w = &local; /* in registers */
	u64 first = w->id * s->n, i = w->at[0];

	for (u64 k = 0; k < n; k++) {
		u64 at = 8 * (first + i);
		double b = LOAD(w->m, double, s->b + at,
				(double)((first + i) & 1023));
		double c = LOAD(w->m, double, s->c + at, 2.0);

		STORE(w->m, double, s->a + at, b + 3 * c);
		w->sum += (u64)b;
		i = i + 1 < s->n ? i + 1 : 0;
		WORK(w->m, 13);
	}
	w->at[0] = i;
	*worker = local;
}

static const struct pattern stream_pattern = {
	.name = "stream",
	.size = sizeof(struct stream),
	.operations = 100 << 20,
	.batch = 4096,
	.lay_out = stream_lay_out,
	.fill = stream_fill,
	.run = stream_run,
};
