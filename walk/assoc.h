/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set-associative array of tags with exact replacement: every TLB, page-walk
 * cache and data cache of the model is one. It holds tags only: what an entry
 * would contain follows from its tag by arithmetic (walk/space.h).
 *
 * LRU sets keep their tags in order of recency, lane 0 the most recent, padded
 * to 4, 8 or 16 lanes: a look-up is one compare, one shift of the lanes and one
 * store of the whole vector, which it is that makes it fast (measured: in-place
 * tags with timestamps lose 2-4x to failed store forwarding). The other
 * policies, and more than 16 ways, take a scalar path.
 *
 * The caller splits an address into set and tag, or has assoc_find() do it; a
 * tag has 32 bits and may not be ASSOC_NONE. One writer at a time. The look-up
 * itself is walk/assoc_inline.h.
 */
#pragma once

#include "lib/err.h"
#include "lib/types.h"

#define ASSOC_NONE 0xffffffffu
#define ASSOC_WAYS 128 /* at most */

enum policy { POLICY_LRU, POLICY_PLRU, POLICY_LFU, POLICY_SRRIP, POLICIES };

/* How a set is looked up. */
enum shape { SHAPE_EMPTY, SHAPE_4, SHAPE_8, SHAPE_16, SHAPE_SCALAR };

struct assoc {
	u32 *tags; /* sets x lanes */
	u8 *state; /* of the policies other than LRU: sets x lanes */
	u32 mask;  /* sets - 1 */
	u32 lanes; /* ways rounded up to a vector */
	u32 last;  /* bit of the last way */
	u8 shift;  /* log2 of the sets */
	enum shape shape;
	enum policy policy;
	u32 sets; /* a power of two */
	u32 ways; /* 1..ASSOC_WAYS */
};

/* Zero sets or ways make an array that never hits. < 0: not a power of two,
 * too many ways for the policy, no memory. */
int assoc_init(struct assoc *a, u32 sets, u32 ways, enum policy policy,
	       struct err *err);
void assoc_free(struct assoc *a);
void assoc_flush(struct assoc *a);

/* Why there is no such array, or NULL. Inline, since profiles are checked
 * outside the core. */
static inline const char *assoc_refusal(u32 sets, u32 ways, enum policy policy)
{
	if (!sets || !ways)
		return NULL;
	if (sets & (sets - 1))
		return "the number of sets is not a power of two";
	if (ways > ASSOC_WAYS)
		return "more than 128 ways";
	if ((u64)sets * ways > 1u << 26)
		return "more than 2^26 entries";
	if (policy == POLICY_PLRU && (ways & (ways - 1)))
		return "PLRU needs a power of two of ways";
	return NULL;
}

/* assoc_touch() (walk/assoc_inline.h) for SHAPE_SCALAR. */
bool assoc_touch_scalar(struct assoc *a, u32 set, u32 tag, u32 *victim);

/* Only looks; changes nothing. */
bool assoc_has(const struct assoc *a, u32 set, u32 tag);

/* Removes @tag if it is there. */
void assoc_drop(struct assoc *a, u32 set, u32 tag);

/* Whether the invariants hold: no tag twice in a set, none in the padding, no
 * empty way before a full one under LRU. For assert(). */
bool assoc_check(const struct assoc *a);
