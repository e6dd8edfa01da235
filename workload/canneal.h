/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated annealing of a netlist, as PARSEC's canneal does it: two elements
 * change places if that makes their wires shorter, or by chance. An element
 * knows its place by a pointer, and so does each of its neighbours.
 */
#pragma once

#include "workload/pattern.h"

#define CANNEAL_ELEMENT 128 /* 0: its place; 8: its neighbours */
#define CANNEAL_PLACE	8   /* column, row */
#define CANNEAL_WIRES	10

struct canneal {
	struct plan plan;
	u64 n, elements, places;
	u64 columns;
};

static inline int canneal_lay_out(void *pattern, struct memory *m)
{
	struct canneal *c = pattern;

	c->n = c->plan.bytes / (CANNEAL_ELEMENT + CANNEAL_PLACE);
	c->elements = memory_map(m, c->n * CANNEAL_ELEMENT);
	c->places = memory_map(m, c->n * CANNEAL_PLACE);
	for (c->columns = 1; c->columns * c->columns < c->n;)
		c->columns *= 2;
	return c->n ? 0 : -1;
}

static inline u64 canneal_element(const struct canneal *c, u64 i)
{
	return c->elements + i * CANNEAL_ELEMENT;
}

/* Neighbour @k of the element at @at. */
static inline u64 canneal_wire(const struct canneal *c, u64 at, u64 k)
{
	u64 i = (at - c->elements) / CANNEAL_ELEMENT;

	return canneal_element(
		c, below(scatter(c->plan.seed + i * CANNEAL_WIRES + k), c->n));
}

/* Elements begin at random places; swaps keep them so. */
static inline u64 canneal_place(const struct canneal *c, u64 at)
{
	return c->places +
	       below(scatter(c->plan.seed ^ at), c->n) * CANNEAL_PLACE;
}

static inline u64 canneal_position(const struct canneal *c, u64 place)
{
	u64 i = (place - c->places) / CANNEAL_PLACE;

	return i / c->columns << 32 | i % c->columns;
}

static inline void canneal_fill(const void *pattern, struct memory *m)
{
	const struct canneal *c = pattern;

	for (u64 i = 0; i < c->n; i++) {
		u64 at = canneal_element(c, i), place;

		/* Each place has one element. */
		place = c->places + i * CANNEAL_PLACE;
		STORE(m, u64, at, place);
		STORE(m, u64, place, canneal_position(c, place));
		for (u64 k = 0; k < CANNEAL_WIRES; k++)
			STORE(m, u64, at + 8 + 8 * k, canneal_wire(c, at, k));
	}
	/* Shuffled, by places alone. */
	for (u64 i = c->n - 1; i > 0; i--) {
		u64 j = below(scatter(c->plan.seed ^ i), i + 1);
		u64 a = canneal_element(c, i), b = canneal_element(c, j);
		u64 place = LOAD_ANY(m, u64, a, 0);

		STORE(m, u64, a, LOAD_ANY(m, u64, b, 0));
		STORE(m, u64, b, place);
	}
}

static inline u64 canneal_distance(u64 a, u64 b)
{
	int x = (int)(u32)a - (int)(u32)b;
	int y = (int)(a >> 32) - (int)(b >> 32);

	return (u64)(x < 0 ? -x : x) + (u64)(y < 0 ? -y : y);
}

/* Length of the wires of the element at @at: *old as it lies, *new if it were
 * at @there. */
static inline void canneal_cost(const struct canneal *c, struct memory *m,
				u64 at, const u64 where[2], u64 cost[2])
{
	for (u64 k = 0; k < CANNEAL_WIRES; k++) {
		u64 other =
			LOAD(m, u64, at + 8 + 8 * k, canneal_wire(c, at, k));
		u64 place = LOAD_ANY(m, u64, other, canneal_place(c, other));
		u64 position = LOAD(m, u64, place, canneal_position(c, place));

		cost[0] += canneal_distance(position, where[0]);
		cost[1] += canneal_distance(position, where[1]);
		WORK(m, 41);
	}
}

static inline void canneal_swap(const struct canneal *c, struct worker *w,
				u64 a, u64 b)
{
	struct memory *m = w->m;
	u64 place_a = LOAD_ANY(m, u64, a, canneal_place(c, a));
	u64 place_b = LOAD_ANY(m, u64, b, canneal_place(c, b));
	u64 where[2] = {
		LOAD(m, u64, place_a, canneal_position(c, place_a)),
		LOAD(m, u64, place_b, canneal_position(c, place_b)),
	};
	u64 back[2] = {where[1], where[0]}, cost[2] = {0, 0};

	canneal_cost(c, m, a, where, cost);
	canneal_cost(c, m, b, back, cost);
	WORK(m, 40);
	w->sum += cost[0];
	if (DECIDE(m, cost[1] < cost[0] + (draw(w) & 63), draw(w) & 1)) {
		STORE(m, u64, a, place_b);
		STORE(m, u64, b, place_a);
	}
}

static inline void canneal_run(const void *pattern, struct worker *worker,
			       u64 n)
{
	const struct canneal *c = pattern;
	struct worker local = *worker, *w = &local; /* in registers */
	u64 a, b = w->at[0];

	if (!b)
		b = canneal_element(c, below(draw(w), c->n));
	for (u64 i = 0; i < n; i++) {
		a = b;
		b = canneal_element(c, below(draw(w), c->n));
		canneal_swap(c, w, a, b);
		WORK(w->m, 15);
	}
	w->at[0] = b;
	*worker = local;
}

static const struct pattern canneal_pattern = {
	.name = "canneal",
	.size = sizeof(struct canneal),
	.operations = 4 << 20,
	.batch = 64,
	.lay_out = canneal_lay_out,
	.fill = canneal_fill,
	.run = canneal_run,
};
