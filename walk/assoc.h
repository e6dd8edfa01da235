/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set-associative array of tags with exact replacement: every TLB, page-walk
 * cache and data cache of the model is one. It holds tags only: what an entry
 * would contain follows from its tag by arithmetic (walk/space.h).
 *
 * LRU sets keep their tags in order of recency, lane 0 the most recent, padded
 * to 4, 8 or 16 lanes: a look-up is one compare, one table permute and one
 * store of the whole vector, which it is that makes it fast (measured: in-place
 * tags with timestamps lose 2-4x to failed store forwarding). The other
 * policies, and more than 16 ways, take a scalar path.
 *
 * The caller splits an address into set and tag; a tag has 32 bits and may not
 * be ASSOC_NONE. One writer at a time.
 */
#pragma once

#include "lib/err.h"
#include "lib/types.h"

#define ASSOC_NONE 0xffffffffu

enum policy { POLICY_LRU, POLICY_PLRU, POLICY_LFU, POLICY_SRRIP, POLICIES };

struct assoc {
	u32 *tags;  /* sets x lanes */
	u8 *state;  /* of the policies other than LRU */
	u32 sets;   /* a power of two */
	u32 ways;   /* 1..128 */
	u32 lanes;  /* ways rounded up to a vector */
	enum policy policy;
};

/* Zero sets or ways make an array that never hits. < 0: not a power of two,
 * too many ways for the policy, no memory. */
int assoc_init(struct assoc *a, u32 sets, u32 ways, enum policy policy,
	       struct err *err);
void assoc_free(struct assoc *a);
void assoc_flush(struct assoc *a);

/*
 * Looks @tag up in @set and makes it the most recent; on a miss it replaces
 * the policy's victim, which goes to *@victim (ASSOC_NONE if that way was
 * empty; @victim may be NULL). Returns whether it hit. Inline in
 * walk/assoc_inline.h, which the core includes.
 */
static inline bool assoc_touch(struct assoc *a, u32 set, u32 tag, u32 *victim);

/* Only looks; changes nothing. */
bool assoc_has(const struct assoc *a, u32 set, u32 tag);

/* Removes @tag if it is there. */
void assoc_drop(struct assoc *a, u32 set, u32 tag);
