/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/npt02.h"

#include "hv/nested/track.h"
#include "lib/hash.h"

static struct {
	struct shadow_table **bucket;
	size_t n; /* a power of two */
} hash;

void npt02_init(void)
{
	for (hash.n = 1; hash.n < pool_size();)
		hash.n *= 2;
	hash.bucket = mem_array(hash.n, sizeof(void *));
}

static struct shadow_table **bucket(u64 source)
{
	u64 n = hash_word(HASH_START, source / PAGE_SIZE);

	return &hash.bucket[n & (hash.n - 1)];
}

struct shadow_table *npt02_find(u64 source, unsigned level, unsigned format)
{
	struct shadow_table *t = *bucket(source);

	while (t && (t->source != source || t->level != level ||
		     t->format != format))
		t = t->next;
	return t;
}

struct shadow_table *npt02_table(u64 source, unsigned level, unsigned format,
				 bool tracked)
{
	struct shadow_table *t = npt02_find(source, level, format);

	if (t)
		return t;
	t = pool_get();
	if (!t)
		return NULL;
	t->source = source;
	t->level = (u8)level;
	t->format = (u8)format;
	if (tracked && !track_start(t)) {
		pool_put(t);
		return NULL;
	}
	t->used = true;
	t->next = *bucket(source);
	*bucket(source) = t;
	return t;
}

static void forget(struct shadow_table *t)
{
	struct shadow_table **at = bucket(t->source);

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (t->leaf)
		track_stop(t);
}

struct shadow_table *npt02_child(u64 entry)
{
	return entry & NPT02_TABLE ? pool_of(entry & PT_ADDR) : NULL;
}

/* Lets go of what @t leads to; returns the tables that go with it. */
static struct shadow_table *cut(const struct shadow_table *t,
				struct shadow_table *list)
{
	const u64 *page = pool_page(t);

	for (unsigned i = 0; (i = npt02_next(t, i)) < PTES_PER_TABLE; i++) {
		struct shadow_table *child = npt02_child(page[i]);

		if (!child || --child->refs)
			continue;
		forget(child);
		child->next = list;
		list = child;
	}
	return list;
}

/* What it holds stays until the page is used again: CPUs may be walking it. */
void npt02_drop(struct shadow_table *t)
{
	struct shadow_table *list = t;

	forget(t);
	t->next = NULL;
	while (list) {
		t = list;
		list = cut(t, t->next);
		pool_put(t);
	}
}

void npt02_set(struct shadow_table *t, unsigned i, u64 entry)
{
	u64 *at = &pool_page(t)[i], bit = 1ull << i % 64;
	struct shadow_table *old, *new;

	if (*at == entry)
		return;
	old = npt02_child(*at);
	new = npt02_child(entry);
	if (new)
		new->refs++;
	__atomic_store_n(at, entry, __ATOMIC_RELEASE);
	if (entry)
		t->filled[i / 64] |= bit;
	else
		t->filled[i / 64] &= ~bit;
	if (old && !--old->refs)
		npt02_drop(old);
}

void npt02_reset(void)
{
	for (size_t i = 0; i < pool_size(); i++)
		if (pool_at(i)->used)
			pool_put(pool_at(i));
	for (size_t i = 0; i < hash.n; i++)
		hash.bucket[i] = NULL;
	track_reset();
}
