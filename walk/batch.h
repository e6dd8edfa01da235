/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: some accesses of one thread with no event among them, which go
 * through the model's stages together. The stages are apart so that each is a
 * short loop whose steps do not wait for each other; that is exact, because
 * what TLBs hold does not depend on caches.
 */
#pragma once

#include "walk/machine.h"
#include "walk/near.h"

#define BATCH 1024
#define AHEAD                                                           \
	12 /* accesses between prefetching the host's line and using it \
	    */

/* In a key: an instruction fetch, which has TLBs and an L1 of its own. */
#define KEY_FETCH (1ull << 63)

struct batch {
	u32 n;	      /* accesses that are left */
	u32 walks;    /* of them, those that missed the STLB */
	bool fetches; /* some have KEY_FETCH */
	bool mixed;   /* ... or large pages */
	u64 dropped;  /* accesses that were sure to hit the L1 */
	u64 key[BATCH];
	u64 pa[BATCH + AHEAD]; /* host physical */
	u8 size[BATCH];	       /* enum page_size of the TLB entry */
	u16 miss[BATCH];       /* numbers of those that missed the L1 TLB */
	u16 walk[BATCH];       /* ... and the STLB, too */
	struct near near;
	u32 tlb_rest, cache_rest;    /* batches that do not ask it */
	u8 bytes[NEAR_BYTES(BATCH)]; /* for it */
};

void batch_init(struct batch *b);

/* Removes accesses to the line of the one before them, which change nothing in
 * LRU and PLRU sets. *@last: the line before the batch. */
void batch_drop_repeats(struct batch *b, u64 *last);

/* TLBs: fills b->miss and b->walk. */
void batch_tlbs(struct batch *b, struct core *c, struct walk_stats *stats);

/* Caches, and the walks in between. */
void batch_caches(struct batch *b, struct core *c);
