/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/batch.h"

#include <string.h>

#include "walk/cache_inline.h"

#define WALKS_AHEAD  6	/* as AHEAD, in walks */
#define BATCHES_REST 15 /* that do without walk/near.h once it was no use */

void batch_init(struct batch *b)
{
	near_init(&b->near, b->bytes, BATCH);
}

void batch_drop_repeats(struct batch *b, u64 *last)
{
	u64 before = *last;
	u32 kept = 0;

	for (u32 i = 0; i < b->n; i++) {
		u64 key = b->key[i], line = key >> LINE_SHIFT;

		b->key[kept] = key;
		kept += line != before;
		before = line;
	}
	b->n = kept;
	*last = before;
}

/* The most recent entry of a set needs no look-up: nothing would change. */
static inline bool tlb_find(struct assoc *tlb, u64 page, enum page_size size)
{
	u32 set = (u32)page & tlb->mask, tag = tlb_tag(tlb, page, size);

	return assoc_touch(tlb, set, tag, NULL);
}

static inline struct assoc *l1_tlb(struct core *c, u64 key, enum page_size s)
{
	return key & KEY_FETCH ? &c->itlb[s] : &c->dtlb[s];
}

static inline u64 page_of(u64 key, enum page_size size)
{
	return (key & ~KEY_FETCH) >> size_shift(size);
}

/* Whether walk/near.h holds for @a. */
static bool can_drop(const struct assoc *a)
{
	return a->policy == POLICY_LRU && a->ways >= NEAR;
}

/* Where little can be dropped, most batches do not ask: the results are the
 * same. */
static bool is_worth(u32 *batches)
{
	return !*batches || !(*batches)--;
}

static void rest(u32 *batches, u32 n, u64 dropped)
{
	*batches = dropped < n / 8 ? BATCHES_REST : 0;
}

/* Accesses that miss the L1 TLB go to b->miss, without a branch: which ones
 * do, no host predicts. */
static u32 l1_tlb_data_4k(struct batch *b, struct assoc *tlb)
{
	u32 looked_up = 0, misses = 0;

	if (can_drop(tlb) && is_worth(&b->tlb_rest)) {
		near_compare(&b->near, b->key, PAGE_SHIFT, b->n);
		rest(&b->tlb_rest, b->n, near_find(&b->near));
	} else {
		memset(b->near.drop, 0, b->n);
	}
	for (u32 i = 0; i < b->n; i++) {
		b->miss[looked_up] = (u16)i;
		looked_up += !b->near.drop[i];
	}
	for (u32 i = 0; i < looked_up; i++) {
		u16 at = b->miss[i];

		b->miss[misses] = at;
		misses += !tlb_find(tlb, b->key[at] >> PAGE_SHIFT, SIZE_4K);
	}
	return misses;
}

static u32 l1_tlb_mixed(struct batch *b, struct core *c)
{
	u32 misses = 0;

	for (u32 i = 0; i < b->n; i++) {
		enum page_size size = b->size[i];
		struct assoc *tlb = l1_tlb(c, b->key[i], size);

		b->miss[misses] = (u16)i;
		misses += !tlb_find(tlb, page_of(b->key[i], size), size);
	}
	return misses;
}

void batch_tlbs(struct batch *b, struct core *c, struct walk_stats *stats)
{
	u32 misses = b->mixed ? l1_tlb_mixed(b, c)
			      : l1_tlb_data_4k(b, &c->dtlb[SIZE_4K]);

	b->walks = 0;
	for (u32 i = 0; i < misses; i++) {
		u16 at = b->miss[i];
		enum page_size size = b->size[at];

		b->walk[b->walks] = at;
		b->walks += !tlb_find(c->stlb_of[size],
				      page_of(b->key[at], size), size);
		stats->itlb_misses += b->key[at] >> 63;
	}
	stats->dtlb_misses += misses;
	stats->stlb_misses += b->walks;
}

static inline void one_walk(struct core *c, u64 key)
{
	struct mmu *m = &c->mmu;
	u32 cycles = m->design->walk(m, (va_t){key & ~KEY_FETCH});

	m->stats->walk_cycles += cycles;
	m->stats->latency[cycles < LATENCIES ? cycles : LATENCIES - 1]++;
}

/* The program's own accesses from number @i up to @end. */
static inline void plain(struct batch *b, struct core *c, u32 i, u32 end)
{
	u64 *hits = c->mmu.stats->data_hit;

	for (; i < end; i++) {
		u64 soon = b->pa[i + AHEAD] >> LINE_SHIFT;
		u64 fetch = b->key[i] & KEY_FETCH;

		assoc_prefetch(c->l3, soon);
		assoc_prefetch(&c->l2, soon);
		hits[cache_l1(c, fetch ? &c->l1i : &c->l1d,
			      b->pa[i] >> LINE_SHIFT)]++;
	}
}

/* Leaves out accesses that are sure to hit the L1 and change nothing. Walks
 * use the L1, too, which is what the barriers are for. */
static void drop_sure(struct batch *b)
{
	u32 walk = 0, kept = 0;

	near_compare(&b->near, b->pa, LINE_SHIFT, b->n);
	for (u32 i = 0; i < b->walks; i++)
		near_barrier(&b->near, b->walk[i]);
	b->dropped = near_find(&b->near);
	rest(&b->cache_rest, b->n, b->dropped);
	if (!b->dropped)
		return;
	for (u32 i = 0; i < b->n; i++) {
		if (walk < b->walks && b->walk[walk] == i)
			b->walk[walk++] = (u16)kept;
		b->pa[kept] = b->pa[i];
		b->key[kept] = b->key[i];
		kept += !b->near.drop[i];
	}
	b->n = kept;
	memset(b->pa + kept, 0, AHEAD * sizeof(*b->pa));
}

void batch_caches(struct batch *b, struct core *c)
{
	void (*ahead)(struct mmu * m, va_t va) = c->mmu.design->ahead;
	u32 done = 0;

	b->dropped = 0;
	if (can_drop(&c->l1d) && !b->fetches && !c->machine->l3_inclusive &&
	    is_worth(&b->cache_rest))
		drop_sure(b);
	for (u32 i = 0; i < b->walks; i++) {
		u32 at = b->walk[i];

		if (ahead && i + WALKS_AHEAD < b->walks)
			ahead(&c->mmu, (va_t){b->key[b->walk[i + WALKS_AHEAD]] &
					      ~KEY_FETCH});
		plain(b, c, done, at);
		one_walk(c, b->key[at]);
		done = at;
	}
	plain(b, c, done, b->n);
	c->mmu.stats->data_hit[HIT_L1] += b->dropped;
}
