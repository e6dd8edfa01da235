/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/track.h"

#include "hv/shoot.h"
#include "hv/space.h"
#include "lib/x86.h"

#define BATCH 8 /* entries that track_is_dirty() looks at together */

/* In NPT01's entry, for software: its dirty bit was found set. One L1 page may
 * be several tables' source; so they are all found, whenever L1 writes. */
#define FOUND 0x200ull

struct split {
	u64 *entry, page; /* what it was */
	struct shadow_table *by;
};

static struct {
	u64 **leaf; /* one behind the other, then &clean up to a whole batch */
	struct shadow_table **table;
	size_t n;
	struct split *split;
	size_t n_splits;
	u64 clean;
} track;

void track_init(void)
{
	size_t max = pool_size() + BATCH;

	track.leaf = mem_array(max, sizeof(*track.leaf));
	track.table = mem_array(max, sizeof(void *));
	track.split = mem_array(max, sizeof(*track.split));
	track.n = track.n_splits = 0;
	for (size_t i = 0; i < max; i++)
		track.leaf[i] = &track.clean;
}

bool track_start(struct shadow_table *t)
{
	unsigned level;
	u64 *entry;

	while (entry = space_entry(t->source, &level), level) {
		struct shadow_table *by = pool_get();

		if (!by)
			return false;
		track.split[track.n_splits++] =
			(struct split){entry, *entry, by};
		space_split(entry, level, pool_page(by));
	}
	t->leaf = entry;
	t->slot = track.n;
	track.leaf[track.n] = entry;
	track.table[track.n++] = t;
	return true;
}

void track_stop(struct shadow_table *t)
{
	struct shadow_table *last = track.table[--track.n];

	track.leaf[t->slot] = last->leaf;
	track.table[t->slot] = last;
	last->slot = t->slot;
	track.leaf[track.n] = &track.clean;
}

/* Without branches, a batch at a time: 2.75 instructions an entry. */
bool track_is_dirty(void)
{
	for (size_t i = 0; i < track.n; i += BATCH) {
		u64 *const *l = track.leaf + i;

		if ((*l[0] | *l[1] | *l[2] | *l[3] | *l[4] | *l[5] | *l[6] |
		     *l[7]) &
		    PTE_DIRTY)
			return true;
	}
	return false;
}

static void find_dirty(void)
{
	for (size_t i = 0; i < track.n; i++) {
		u64 *leaf = track.leaf[i];

		if (!(__atomic_load_n(leaf, __ATOMIC_RELAXED) & PTE_DIRTY))
			continue;
		__atomic_fetch_or(leaf, FOUND, __ATOMIC_SEQ_CST);
		__atomic_fetch_and(leaf, ~(u64)PTE_DIRTY, __ATOMIC_SEQ_CST);
	}
}

struct shadow_table *track_collect(void)
{
	struct shadow_table *found = NULL;

	find_dirty();
	for (size_t i = 0; i < track.n; i++) {
		if (!(*track.leaf[i] & FOUND))
			continue;
		track.table[i]->collected = found;
		found = track.table[i];
	}
	for (struct shadow_table *t = found; t; t = t->collected)
		__atomic_fetch_and(t->leaf, ~FOUND, __ATOMIC_SEQ_CST);
	/* A TLB that has the entry as dirty would not set it again. */
	shoot();
	return found;
}

void track_reset(void)
{
	while (track.n)
		track.leaf[--track.n] = &track.clean;
	while (track.n_splits) {
		struct split *s = &track.split[--track.n_splits];

		space_join(s->entry, s->page);
		pool_put(s->by);
	}
}

size_t track_pages(void)
{
	return track.n_splits;
}
