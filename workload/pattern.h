/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a workload is: a plan of its memory, its contents, and operations. Each
 * header beside this one that defines a struct pattern is both a program
 * (workload/NAME.c) and a way to make its trace (capture/synth.h), of any size.
 * Who calls it: workload/main.c and capture/synth.c.
 */
#pragma once

#include "lib/types.h"
#include "workload/memory.h"

/* A thread that runs operations. Threads share nothing but the plan. */
struct worker {
	struct memory *m;
	u64 random;
	u64 sum;     /* over what was read */
	u64 at[4];   /* where the pattern is, for its own use */
	unsigned id; /* from 0 */
} __attribute__((aligned(64)));

struct plan {
	u64 bytes; /* of memory, as asked for */
	u64 seed;
	unsigned threads;
};

struct pattern {
	const char *name;
	size_t size;	/* of its own structure, which begins with the plan */
	u64 operations; /* per thread, if not said */
	u64 batch;	/* operations, small enough to be done at a time */
	/* Lays out memory. < 0: @bytes are too few. */
	int (*lay_out)(void *pattern, struct memory *m);
	/* Puts into it what LOAD says; it is zero before. */
	void (*fill)(const void *pattern, struct memory *m);
	void (*run)(const void *pattern, struct worker *w, u64 operations);
};

/* xorshift64*: no memory, few instructions. */
static inline u64 draw(struct worker *w)
{
	u64 x = w->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	w->random = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* @x spread over all bits (the finalizer of splitmix64). */
static inline u64 scatter(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* A random number brought below @n. */
static inline u64 below(u64 random, u64 n)
{
	return (u64)((unsigned __int128)random * n >> 64);
}

static inline void worker_init(struct worker *w, const struct plan *plan,
			       unsigned id, struct memory *m)
{
	*w = (struct worker){.m = m, .id = id};
	w->random = scatter(plan->seed + id * 0x9e3779b97f4a7c15ull) | 1;
}
