/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GETs of random keys from redis-server, whose records have 256 bytes. Where
 * things are follows from jemalloc's size classes: of 128 records, keys and
 * objects (16 bytes each) fill a slab of 4 KiB, entries (32) another, and
 * values (320) two of 20 KiB. Slabs are allocated in the order of need; that of
 * the entries comes before, between or behind those of the values.
 */
#pragma once

#include "workload/server.h"

#define REDIS_GROUP  128
#define REDIS_SMALL  (4 << 10)
#define REDIS_VALUES (20 << 10)
#define REDIS_BYTES  (2 * (REDIS_SMALL + REDIS_VALUES)) /* of a group */

struct redis {
	struct plan plan;
	u64 n, buckets;
	u64 table, heap;
	struct server_hot hot;
};

static inline int redis_lay_out(void *pattern, struct memory *m)
{
	struct redis *r = pattern;
	u64 groups = r->plan.bytes / (REDIS_BYTES + REDIS_GROUP * 12);

	r->n = groups * REDIS_GROUP;
	for (r->buckets = 4; r->buckets < r->n;)
		r->buckets *= 2;
	r->table = memory_map(m, r->buckets * 8);
	r->heap = memory_map(m, groups * REDIS_BYTES);
	server_map_hot(&r->hot, m, 191, 63);
	return r->n ? 0 : -1;
}

/* The object; its key is 16 bytes behind it. */
static inline u64 redis_object(const struct redis *r, u64 i)
{
	return r->heap + i / REDIS_GROUP * REDIS_BYTES + i % REDIS_GROUP * 32;
}

/* How many slabs of values are before that of the entries. */
static inline u64 redis_turn(u64 i)
{
	return i / REDIS_GROUP % 3;
}

static inline u64 redis_entry(const struct redis *r, u64 i)
{
	return redis_object(r, i) + REDIS_SMALL + redis_turn(i) * REDIS_VALUES;
}

static inline u64 redis_value(const struct redis *r, u64 i)
{
	u64 slab = i % REDIS_GROUP / 64;

	return r->heap + i / REDIS_GROUP * REDIS_BYTES + REDIS_SMALL +
	       slab * REDIS_VALUES + (slab >= redis_turn(i) ? REDIS_SMALL : 0) +
	       i % 64 * 320;
}

/* An entry of the chain, and its key. */
static inline void redis_compare(const struct redis *r, struct memory *m, u64 i)
{
	u64 key = redis_object(r, i) + 16;

	(void)LOAD(m, u64, redis_entry(r, i), 0);
	WORK(m, 12);
	(void)LOAD(m, u8, key, 0);
	WORK(m, 6);
	(void)LOAD(m, u64, key, 0);
	WORK(m, 20);
	(void)LOAD(m, u64, redis_entry(r, i) + 8, 0);
}

static inline void redis_send(const struct redis *r, struct memory *m, u64 i)
{
	u64 object = redis_object(r, i), value = redis_value(r, i);

	for (unsigned k = 0; k < 2; k++) {
		(void)LOAD(m, u8, object, 0);
		STORE(m, u32, object, 0);
		(void)LOAD(m, u64, object + 8, 0);
		(void)LOAD(m, u8, value + 4, 0);
		(void)LOAD(m, u16, value, 0);
		server_touch(&r->hot, m, k ? 12 : 140, k ? 30 : 330);
	}
	for (unsigned k = 0; k < 8; k++)
		(void)LOAD(m, u64, value + 8 + 32 * k, 0);
}

static inline void redis_get(const struct redis *r, struct worker *w)
{
	u64 i = below(draw(w), r->n);
	unsigned before = server_before(i, r->n - i, r->buckets);

	server_touch(&r->hot, w->m, 1836, 4380);
	(void)LOAD(w->m, u64, r->table + 8 * below(scatter(i), r->buckets), 0);
	for (; before && i + 1 < r->n; before--)
		redis_compare(r, w->m, i + 1 + below(draw(w), r->n - i - 1));
	redis_compare(r, w->m, i);
	redis_send(r, w->m, i);
}

static inline void redis_run(const void *pattern, struct worker *w, u64 n)
{
	for (u64 i = 0; i < n; i++)
		redis_get(pattern, w);
}

static const struct pattern redis_pattern = {
	.name = "redis",
	.size = sizeof(struct redis),
	.operations = 100000,
	.batch = 8,
	.lay_out = redis_lay_out,
	.run = redis_run,
};
