/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What servers have in common that get records by key: per request, much work
 * on little memory (parsing, sockets, buffers), then a hash table's bucket, its
 * chain, and the record. Patterns of these have no program here: they are what
 * redis-server 7.0 and memcached 1.6 of Debian 12 were seen to do under
 * `nestbox capture`, driven by workload/client.c.
 */
#pragma once

#include "workload/pattern.h"

/* Lines that each request uses, spread over pages as those of a program are. */
struct server_hot {
	u64 base;
	u64 lines, pages;
};

static inline void server_map_hot(struct server_hot *h, struct memory *m,
				  u64 lines, u64 pages)
{
	h->lines = lines;
	h->pages = pages;
	h->base = memory_map(m, pages * 4096);
}

/* @n accesses to these lines, among @instructions. */
static inline void server_touch(const struct server_hot *h, struct memory *m,
				u64 n, u64 instructions)
{
	for (u64 i = 0; i < n; i++) {
		u64 line = i * h->lines / n;
		u64 at = h->base + line % h->pages * 4096 +
			 scatter(line) % 64 * 64;

		if (i % 3 == 2)
			STORE(m, u64, at, 0);
		else
			(void)LOAD(m, u64, at, 0);
		WORK(m, (i + 1) * (instructions - n) / n -
				i * (instructions - n) / n);
	}
}

/* How many of @n later records, put into @buckets at random, come before record
 * @i in its bucket: nearly Poisson's distribution. */
static inline unsigned server_before(u64 i, u64 n, u64 buckets)
{
	u64 random = scatter(i ^ 0x5bd1e995);
	unsigned count = 0;

	for (unsigned k = 0; k < 8; k++)
		count += below(random << 8 * k & 0xff00000000000000ull,
			       8 * buckets) < n;
	return count;
}
