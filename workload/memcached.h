/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gets of random keys from memcached, whose records have 1 KiB: items of 1184
 * bytes in slabs of 1 MiB. Values are not read: the kernel sends them.
 */
#pragma once

#include "workload/server.h"

#define MEMCACHED_ITEM 1184
#define MEMCACHED_SLAB (1 << 20)
#define MEMCACHED_EACH (MEMCACHED_SLAB / MEMCACHED_ITEM) /* of a slab */

struct memcached {
	struct plan plan;
	u64 n, buckets;
	u64 table, slabs;
	struct server_hot hot;
};

/* The table doubles where there are three items for two buckets. */
static inline int memcached_lay_out(void *pattern, struct memory *m)
{
	struct memcached *c = pattern;
	u64 slabs = c->plan.bytes / (MEMCACHED_SLAB + MEMCACHED_EACH * 8);

	c->n = slabs * MEMCACHED_EACH;
	for (c->buckets = 1 << 16; c->buckets * 3 / 2 < c->n;)
		c->buckets *= 2;
	c->table = memory_map(m, c->buckets * 8);
	c->slabs = memory_map(m, slabs * MEMCACHED_SLAB);
	server_map_hot(&c->hot, m, 119, 32);
	return c->n ? 0 : -1;
}

/* The last place of a slab is used first. */
static inline u64 memcached_item(const struct memcached *c, u64 i)
{
	return c->slabs + i / MEMCACHED_EACH * MEMCACHED_SLAB +
	       (MEMCACHED_EACH - 1 - i % MEMCACHED_EACH) * MEMCACHED_ITEM;
}

static inline void memcached_compare(struct memory *m, u64 item)
{
	(void)LOAD(m, u8, item + 0x29, 0);
	WORK(m, 2);
	(void)LOAD(m, u16, item + 0x26, 0);
	WORK(m, 6);
	(void)LOAD(m, u64, item + 0x38, 0);
	WORK(m, 8);
}

/* What answering needs of it: flags, lengths, reference count. */
static inline void memcached_use(const struct memcached *c, struct memory *m,
				 u64 item)
{
	static const u8 fields[] = {0x24, 0x26, 0x1c, 0x20, 0x29, 0x38};

	for (unsigned k = 0; k < 24; k++) {
		u64 at = item + fields[k % sizeof(fields)];

		if (k % 6 == 5)
			STORE(m, u8, at, 0);
		else
			(void)LOAD(m, u8, at, 0);
		server_touch(&c->hot, m, 13, 30);
	}
}

/* What is got for the second time goes to the head of its list: its neighbours,
 * which came before and after it, learn of that. w->at[0]: requests so far. */
static inline void memcached_bump(const struct memcached *c, struct worker *w,
				  u64 i)
{
	u64 so_far = w->at[0]++;

	/* Once before, of so many, and no more. */
	if (so_far >= c->n || below(draw(w), c->n) >= so_far ||
	    below(draw(w), c->n) < so_far)
		return;
	STORE(w->m, u64, memcached_item(c, i ? i - 1 : i) + 8, 0);
	STORE(w->m, u64, memcached_item(c, i + 1 < c->n ? i + 1 : i), 0);
}

static inline void memcached_get(const struct memcached *c, struct worker *w)
{
	u64 i = below(draw(w), c->n), at;
	unsigned before = server_before(i, c->n - i, c->buckets);

	server_touch(&c->hot, w->m, 953, 2190);
	(void)LOAD(w->m, u64, c->table + 8 * below(scatter(i), c->buckets), 0);
	for (; before && i + 1 < c->n; before--) {
		at = memcached_item(c, i + 1 + below(draw(w), c->n - i - 1));
		memcached_compare(w->m, at);
		(void)LOAD(w->m, u64, at + 0x10, 0); /* the next */
	}
	at = memcached_item(c, i);
	memcached_compare(w->m, at);
	memcached_use(c, w->m, at);
	memcached_bump(c, w, i);
}

static inline void memcached_run(const void *pattern, struct worker *w, u64 n)
{
	for (u64 i = 0; i < n; i++)
		memcached_get(pattern, w);
}

static const struct pattern memcached_pattern = {
	.name = "memcached",
	.size = sizeof(struct memcached),
	.operations = 100000,
	.batch = 8,
	.lay_out = memcached_lay_out,
	.run = memcached_run,
};
