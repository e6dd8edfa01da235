/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breadth-first searches over a Kronecker graph (Graph500's probabilities .57,
 * .19, .19, .05), its vertices renamed at random, in compressed rows. Each
 * thread searches for itself, over the same graph. One operation scans one
 * vertex.
 *
 * Rows have the number of edges that is expected of them, so that where a row
 * is follows from its vertex; where its edges lead is drawn as usual.
 */
#pragma once

#include "workload/pattern.h"

#define GRAPH_EDGES   28 /* per vertex, the least */
#define GRAPH_THREADS 64
#define GRAPH_NONE    (~0ull)

struct graph500 {
	struct plan plan;
	unsigned scale; /* log2 of the vertices */
	u64 mask, edges;
	u64 rows;  /* start and end of each, by name */
	u64 heads; /* the edges */
	u64 parent[GRAPH_THREADS], queue[GRAPH_THREADS];
	/* What synth remembers: who was seen, in which order. */
	u8 *seen[GRAPH_THREADS];
	u32 *order[GRAPH_THREADS];
};

static inline int graph_model(struct graph500 *g, struct memory *m)
{
	for (unsigned i = 0; i < g->plan.threads; i++) {
		g->seen[i] = memory_remember(m, g->mask / 8 + 1);
		g->order[i] = memory_remember(m, (g->mask + 1) * sizeof(u32));
		if (!g->seen[i] || !g->order[i])
			return -1;
	}
	return 0;
}

static inline int graph500_lay_out(void *pattern, struct memory *m)
{
	struct graph500 *g = pattern;
	u64 each = 16 + 16 * (u64)g->plan.threads, n = 1;
	int failed = 0;

	if (g->plan.threads > GRAPH_THREADS)
		return -1;
	while (2 * n * (each + 8 * GRAPH_EDGES) <= g->plan.bytes) {
		n *= 2;
		g->scale++;
	}
	if (g->scale < 8 || g->scale > 32)
		return -1;
	g->mask = n - 1;
	g->edges = (g->plan.bytes - n * each) / 8;
	g->rows = memory_map(m, n * 16);
	g->heads = memory_map(m, g->edges * 8);
	for (unsigned i = 0; i < g->plan.threads; i++) {
		g->parent[i] = memory_map(m, n * 8);
		g->queue[i] = memory_map(m, n * 8);
	}
	MODEL(m, failed = graph_model(g, m));
	return failed;
}

#define GRAPH_ODD     0x9e3779b97f4a7c15ull
#define GRAPH_INVERSE 0xf1de83e19937733dull /* of it, modulo 2^64 */

/* The name of vertex @v, and back. The shift is its own inverse. */
static inline u64 graph_name(const struct graph500 *g, u64 v)
{
	v = v * GRAPH_ODD & g->mask;
	v ^= v >> (g->scale + 1) / 2;
	return v * GRAPH_ODD & g->mask;
}

static inline u64 graph_vertex(const struct graph500 *g, u64 name)
{
	name = name * GRAPH_INVERSE & g->mask;
	name ^= name >> (g->scale + 1) / 2;
	return name * GRAPH_INVERSE & g->mask;
}

/* Where the row of vertex @v begins, and its length. */
static inline u64 graph_row(const struct graph500 *g, u64 v, u64 *length)
{
	u64 start = 0, n = g->edges;

	for (unsigned bit = g->scale; bit-- > 0;) {
		u64 first = n * 76 / 100; /* .57 + .19 */

		start += v >> bit & 1 ? first : 0;
		n = v >> bit & 1 ? n - first : first;
	}
	*length = n;
	return start;
}

/* Edge @i of vertex @v leads to a vertex each of whose bits is set with .19 /
 * .76 = 1/4 where that of @v is clear, and .05 / .24 (here 7/32) where set. */
static inline u64 graph_head(const struct graph500 *g, u64 v, u64 i)
{
	u64 a = scatter(g->plan.seed + 3 * i), b = scatter(a + 1),
	    c = scatter(b + 1);
	u64 clear = a & a >> 32;
	u64 set = (b | b >> 32 | c) & c >> 32 & (a ^ b >> 16);

	return graph_name(g, ((clear & ~v) | (set & v)) & g->mask);
}

static inline void graph500_fill(const void *pattern, struct memory *m)
{
	const struct graph500 *g = pattern;

	for (u64 v = 0; v <= g->mask; v++) {
		u64 n, row = graph_row(g, v, &n);
		u64 at = g->rows + 16 * graph_name(g, v);

		STORE(m, u64, at, row);
		STORE(m, u64, at + 8, row + n);
		for (u64 i = row; i < row + n; i++)
			STORE(m, u64, g->heads + 8 * i, graph_head(g, v, i));
	}
	for (unsigned t = 0; t < g->plan.threads; t++)
		for (u64 v = 0; v <= g->mask; v++)
			STORE(m, u64, g->parent[t] + 8 * v, GRAPH_NONE);
}

/* What synth knows of the parent of @name: whether there is one. */
static inline u64 graph_parent(const struct graph500 *g, unsigned id, u64 name)
{
	return g->seen[id][name / 8] >> name % 8 & 1 ? 0 : GRAPH_NONE;
}

static inline void graph_see(const struct graph500 *g, unsigned id, u64 name,
			     u64 tail)
{
	g->seen[id][name / 8] |= (u8)(1 << name % 8);
	g->order[id][tail] = (u32)name;
}

static inline void graph_forget(const struct graph500 *g, unsigned id)
{
	for (u64 i = 0; i <= g->mask / 8; i++)
		g->seen[id][i] = 0;
}

/* at[0] is the queue's head, at[1] its tail. */
static inline void graph_put(const struct graph500 *g, struct worker *w,
			     u64 name, u64 parent)
{
	u64 tail = w->at[1]++;

	STORE(w->m, u64, g->parent[w->id] + 8 * name, parent);
	STORE(w->m, u64, g->queue[w->id] + 8 * tail, name);
	MODEL(w->m, graph_see(g, w->id, name, tail));
	WORK(w->m, 4);
}

/* From a root that has edges, over a graph nobody has seen. */
static inline void graph_start(const struct graph500 *g, struct worker *w)
{
	u64 v, n = 0;

	if (w->at[1]) {
		for (v = 0; v <= g->mask; v++) {
			STORE(w->m, u64, g->parent[w->id] + 8 * v, GRAPH_NONE);
			WORK(w->m, 3);
		}
		MODEL(w->m, graph_forget(g, w->id));
	}
	w->at[0] = w->at[1] = 0;
	do {
		v = draw(w) & g->mask;
		graph_row(g, v, &n);
	} while (!n);
	graph_put(g, w, graph_name(g, v), graph_name(g, v));
}

static inline void graph_scan(const struct graph500 *g, struct worker *w,
			      u64 name)
{
	struct memory *m = w->m;
	u64 heads = g->heads, parents = g->parent[w->id];
	u64 n = 0, row = 0, i, end;

	MODEL(m, row = graph_row(g, graph_vertex(g, name), &n));
	i = LOAD(m, u64, g->rows + 16 * name, row);
	end = LOAD(m, u64, g->rows + 16 * name + 8, row + n);

	WORK(m, 16);
	for (; i < end; i++) {
		u64 head = LOAD(m, u64, heads + 8 * i,
				graph_head(g, graph_vertex(g, name), i));

		w->sum += head;
		if (LOAD_ANY(m, u64, parents + 8 * head,
			     graph_parent(g, w->id, head)) == GRAPH_NONE)
			graph_put(g, w, head, name);
		WORK(m, 6);
	}
	(void)row;
	(void)n;
}

static inline void graph500_run(const void *pattern, struct worker *worker,
				u64 n)
{
	const struct graph500 *g = pattern;
	struct worker local = *worker, *w = &local; /* in registers */

	for (u64 i = 0; i < n; i++) {
		if (w->at[0] == w->at[1])
			graph_start(g, w);
		graph_scan(g, w,
			   LOAD(w->m, u64, g->queue[w->id] + 8 * w->at[0],
				g->order[w->id][w->at[0]]));
		w->at[0]++;
		WORK(w->m, 6);
	}
	*worker = local;
}

static const struct pattern graph500_pattern = {
	.name = "graph500",
	.size = sizeof(struct graph500),
	.operations = 1 << 20,
	.batch = 1,
	.lay_out = graph500_lay_out,
	.fill = graph500_fill,
	.run = graph500_run,
};
