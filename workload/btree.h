/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups of random keys in a B+ tree, loaded in bulk: nodes of 16 keys and 16
 * children (in leaves: values), level by level in memory.
 */
#pragma once

#include "workload/pattern.h"

#define BTREE_FANOUT 16
#define BTREE_NODE   (BTREE_FANOUT * 16)
#define BTREE_LEVELS 16 /* enough for 2^64 bytes */

struct btree {
	struct plan plan;
	u64 keys;
	unsigned levels;
	u64 base[BTREE_LEVELS]; /* of a level's nodes; 0 = leaves */
	u64 nodes[BTREE_LEVELS];
};

static inline int btree_lay_out(void *pattern, struct memory *m)
{
	struct btree *t = pattern;
	u64 n = t->plan.bytes / BTREE_NODE / BTREE_FANOUT * (BTREE_FANOUT - 1);
	u64 at = 0;

	t->keys = n * BTREE_FANOUT;
	for (; n > 1; n = (n + BTREE_FANOUT - 1) / BTREE_FANOUT) {
		t->base[t->levels] = at;
		t->nodes[t->levels++] = n;
		at += n * BTREE_NODE;
	}
	t->base[t->levels] = at;
	t->nodes[t->levels++] = 1;
	at = memory_map(m, at + BTREE_NODE);
	for (unsigned i = 0; i < t->levels; i++)
		t->base[i] += at;
	return t->keys ? 0 : -1;
}

/* Keys are the numbers from 0 on: that of an entry at a level is the least
 * below it. */
static inline u64 btree_key(u64 entry, unsigned level)
{
	return entry << 4 * level;
}

static inline u64 btree_child(const struct btree *t, u64 entry, unsigned level)
{
	return level ? t->base[level - 1] + entry * BTREE_NODE : scatter(entry);
}

static inline void btree_fill(const void *pattern, struct memory *m)
{
	const struct btree *t = pattern;

	for (unsigned level = 0; level < t->levels; level++)
		for (u64 i = 0; i < t->nodes[level] * BTREE_FANOUT; i++) {
			u64 at = t->base[level] +
				 i / BTREE_FANOUT * BTREE_NODE +
				 i % BTREE_FANOUT * 8;

			STORE(m, u64, at, btree_key(i, level));
			STORE(m, u64, at + BTREE_FANOUT * 8,
			      btree_child(t, i, level));
		}
}

/* Where in the node at @at, whose first entry is @first, @key belongs. */
static inline u64 btree_search(struct memory *m, u64 at, u64 key, u64 first,
			       unsigned level)
{
	u64 low = 0, high = BTREE_FANOUT;

	while (high - low > 1) {
		u64 middle = (low + high) / 2;

		if (LOAD(m, u64, at + 8 * middle,
			 btree_key(first + middle, level)) <= key)
			low = middle;
		else
			high = middle;
		WORK(m, 8);
	}
	(void)first;
	(void)level;
	return low;
}

static inline u64 btree_find(const struct btree *t, struct memory *m, u64 key)
{
	unsigned level = t->levels - 1;
	u64 at = t->base[level], first = 0, i;

	for (;;) {
		i = btree_search(m, at, key, first, level);
		WORK(m, 11);
		at = LOAD(m, u64, at + BTREE_FANOUT * 8 + 8 * i,
			  btree_child(t, first + i, level));
		if (!level)
			return at;
		first = (first + i) * BTREE_FANOUT;
		level--;
	}
}

static inline void btree_run(const void *pattern, struct worker *worker, u64 n)
{
	const struct btree *t = pattern;
	struct worker local = *worker, *w = &local; /* in registers */

	for (u64 i = 0; i < n; i++) {
		WORK(w->m, 18);
		w->sum += btree_find(t, w->m, below(draw(w), t->keys));
	}
	*worker = local;
}

static const struct pattern btree_pattern = {
	.name = "btree",
	.size = sizeof(struct btree),
	.operations = 10 << 20,
	.batch = 256,
	.lay_out = btree_lay_out,
	.fill = btree_fill,
	.run = btree_run,
};
