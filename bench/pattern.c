/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "lib/nbt/nbt.h"

#define GB     (1ull << 30)
#define BASE   0x7f0000000000ull
#define NODE   256ull /* bytes of a tree's node: 16 keys, 16 children */
#define LEVELS 6

struct maker {
	struct accesses *out;
	size_t done;
	u64 random;
	u8 since; /* instructions since the access before */
};

static u64 draw(struct maker *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return m->random * 0x2545f4914f6cdd1dull;
}

/* An access, with @before instructions before it. */
static void put(struct maker *m, enum nbt_access what, u64 addr, u8 before)
{
	if (m->done == m->out->n)
		return;
	m->out->addr[m->done] = addr;
	m->out->kind[m->done] = NBT_KIND(what, 3);
	m->out->gap[m->done] = (u8)(m->since + before + 1);
	m->since = 0;
	m->done++;
}

static void gups(struct maker *m)
{
	while (m->done < m->out->n) {
		u64 addr = BASE + draw(m) % (GB / 8) * 8;

		put(m, NBT_LOAD, addr, 3);
		put(m, NBT_STORE, addr, 1);
		m->since = 2;
	}
}

static void chase(struct maker *m)
{
	u64 x = 1;

	while (m->done < m->out->n) {
		x = (x * 1103515245 + 12345) & (GB / 64 - 1);
		put(m, NBT_LOAD, BASE + ((x * 0x9e3779b1 & (GB / 64 - 1)) << 6),
		    0);
		m->since = 3;
	}
}

static void stream(struct maker *m)
{
	u64 length = GB / 3 / 4096 * 4096;

	for (u64 i = 0; m->done < m->out->n; i = (i + 8) % length) {
		put(m, NBT_LOAD, BASE + i, 0);
		put(m, NBT_LOAD, BASE + length + i, 0);
		put(m, NBT_STORE, BASE + 2 * length + i, 1);
		m->since = 3;
	}
}

/* Binary search in a node, then its child's number. */
static u64 search(struct maker *m, u64 node)
{
	u64 child = draw(m) & 15, low = 0, high = 16;

	while (high - low > 1) {
		u64 middle = (low + high) / 2;

		put(m, NBT_LOAD, node + 8 * middle, 0);
		m->since = 2;
		if (child >= middle)
			low = middle;
		else
			high = middle;
	}
	put(m, NBT_LOAD, node + 128 + 8 * child, 0);
	m->since++;
	return child;
}

static void btree(struct maker *m)
{
	while (m->done < m->out->n) {
		u64 base = BASE, count = 1, id = 0;

		for (int level = 0; level < LEVELS; level++) {
			u64 child = search(m, base + id * NODE);

			base += count * NODE;
			id = id * 16 + child;
			count *= 16;
			if (base + count * NODE - BASE > GB) {
				count = (GB - (base - BASE)) / NODE;
				id %= count;
			}
		}
		id %= GB / NODE;
		put(m, NBT_LOAD, BASE + id * NODE, 0);
		if (!(draw(m) & 3))
			put(m, NBT_STORE, BASE + id * NODE + 8, 0);
		m->since += 2;
	}
}

const char *const pattern_names[] = {"gups", "chase", "btree", "stream", NULL};
static void (*const patterns[])(struct maker *) = {gups, chase, btree, stream};

int pattern_make(const char *name, size_t n, struct accesses *out)
{
	struct maker m = {.out = out, .random = 88172645463325252ull};

	*out = (struct accesses){.n = n};
	for (size_t i = 0; pattern_names[i]; i++) {
		if (strcmp(name, pattern_names[i]) != 0)
			continue;
		out->addr = malloc(n * sizeof(*out->addr));
		out->kind = malloc(n);
		out->gap = malloc(n);
		if (!out->addr || !out->kind || !out->gap) {
			accesses_free(out);
			return -1;
		}
		patterns[i](&m);
		return 0;
	}
	return -1;
}

void accesses_free(struct accesses *a)
{
	free(a->addr);
	free(a->kind);
	free(a->gap);
	*a = (struct accesses){0};
}
