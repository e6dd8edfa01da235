/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/assoc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (2u << 20)
#define RRPV_MAX  3 /* SRRIP with 2 bits: ISCA'10, section 4.1 */

static u32 lanes_of(u32 ways, enum policy policy)
{
	if (policy != POLICY_LRU || ways > 16)
		return ways;
	return ways > 8 ? 16 : ways > 4 ? 8 : 4;
}

static enum shape shape_of(u32 ways, enum policy policy)
{
	if (policy != POLICY_LRU || ways > 16)
		return SHAPE_SCALAR;
	return ways > 8 ? SHAPE_16 : ways > 4 ? SHAPE_8 : SHAPE_4;
}

/* Tags at a multiple of a host line; the large ones in huge pages, where a
 * random set costs no TLB miss of the host. */
static u32 *new_tags(size_t size)
{
	size_t align = size >= HUGE_PAGE ? HUGE_PAGE : 64;
	void *tags = aligned_alloc(align, (size + align - 1) / align * align);

	if (tags && align == HUGE_PAGE)
		(void)madvise(tags, size, MADV_HUGEPAGE);
	return tags;
}

int assoc_init(struct assoc *a, u32 sets, u32 ways, enum policy policy,
	       struct err *err)
{
	const char *refusal = assoc_refusal(sets, ways, policy);

	*a = (struct assoc){.policy = policy};
	if (refusal)
		return err_set(err, "%u sets of %u ways: %s", sets, ways,
			       refusal);
	if (!sets || !ways)
		return 0;
	a->sets = sets;
	a->ways = ways;
	a->mask = sets - 1;
	a->shift = (u8)__builtin_ctz(sets);
	a->lanes = lanes_of(ways, policy);
	a->shape = shape_of(ways, policy);
	a->last = a->shape == SHAPE_SCALAR ? 0 : 1u << (ways - 1);
	a->tags = new_tags((size_t)sets * a->lanes * sizeof(u32));
	a->state = malloc((size_t)sets * a->lanes);
	if (!a->tags || !a->state) {
		assoc_free(a);
		return err_set(err, "out of memory");
	}
	assoc_flush(a);
	return 0;
}

void assoc_free(struct assoc *a)
{
	free(a->tags);
	free(a->state);
	*a = (struct assoc){.policy = a->policy};
}

void assoc_flush(struct assoc *a)
{
	size_t entries = (size_t)a->sets * a->lanes;

	if (!entries)
		return;
	memset(a->tags, 0xff, entries * sizeof(u32));
	memset(a->state, 0, entries);
}

/* The way of @tag, or the number of ways. */
static u32 way_of(const struct assoc *a, const u32 *s, u32 tag)
{
	u32 way = 0;

	while (way < a->ways && s[way] != tag)
		way++;
	return way;
}

/* PLRU: a tree of ways - 1 bits, each of which points to the half that is to
 * be replaced; node 1 is the root, 2n and 2n + 1 are below n. */
static void plru_touch(u8 *tree, u32 ways, u32 way)
{
	for (u32 node = ways + way; node > 1; node /= 2)
		tree[node / 2] = !(node & 1);
}

static u32 plru_victim(const u8 *tree, u32 ways)
{
	u32 node = 1;

	while (node < ways)
		node = 2 * node + tree[node];
	return node - ways;
}

static u32 lfu_victim(const u8 *uses, u32 ways)
{
	u32 least = 0;

	for (u32 way = 1; way < ways; way++)
		if (uses[way] < uses[least])
			least = way;
	return least;
}

static u32 srrip_victim(u8 *rrpv, u32 ways)
{
	u8 oldest = 0;
	u32 victim = 0;

	for (u32 way = 0; way < ways; way++)
		if (rrpv[way] > oldest) {
			oldest = rrpv[way];
			victim = way;
		}
	for (u32 way = 0; way < ways; way++)
		rrpv[way] = (u8)(rrpv[way] + RRPV_MAX - oldest);
	return victim;
}

static u32 victim_of(struct assoc *a, u8 *state)
{
	switch (a->policy) {
	case POLICY_PLRU:
		return plru_victim(state, a->ways);
	case POLICY_LFU:
		return lfu_victim(state, a->ways);
	case POLICY_SRRIP:
		return srrip_victim(state, a->ways);
	case POLICY_LRU:
	case POLICIES:
		break;
	}
	return a->ways - 1;
}

static void note_use(struct assoc *a, u8 *state, u32 way, bool hit)
{
	switch (a->policy) {
	case POLICY_PLRU:
		plru_touch(state, a->ways, way);
		break;
	case POLICY_LFU:
		state[way] = hit ? (u8)(state[way] + (state[way] < 255)) : 1;
		break;
	case POLICY_SRRIP:
		state[way] = hit ? 0 : RRPV_MAX - 1;
		break;
	case POLICY_LRU:
	case POLICIES:
		break;
	}
}

bool assoc_touch_scalar(struct assoc *a, u32 set, u32 tag, u32 *victim)
{
	u32 *s = a->tags + (size_t)set * a->lanes;
	u8 *state = a->state + (size_t)set * a->lanes;
	u32 way = way_of(a, s, tag);
	bool hit = way < a->ways;

	if (!hit)
		way = way_of(a, s, ASSOC_NONE);
	if (way == a->ways)
		way = victim_of(a, state);
	if (victim)
		*victim = hit ? ASSOC_NONE : s[way];
	if (a->policy == POLICY_LRU) {
		memmove(s + 1, s, way * sizeof(*s));
		way = 0;
	}
	s[way] = tag;
	note_use(a, state, way, hit);
	return hit;
}

bool assoc_has(const struct assoc *a, u32 set, u32 tag)
{
	return a->ways &&
	       way_of(a, a->tags + (size_t)set * a->lanes, tag) < a->ways;
}

void assoc_drop(struct assoc *a, u32 set, u32 tag)
{
	u32 *s = a->tags + (size_t)set * a->lanes;
	u32 way = a->ways ? way_of(a, s, tag) : 0;

	if (way == a->ways)
		return;
	if (a->policy == POLICY_LRU) {
		memmove(s + way, s + way + 1, (a->ways - 1 - way) * sizeof(*s));
		way = a->ways - 1;
	}
	s[way] = ASSOC_NONE;
}

static bool set_is_sane(const struct assoc *a, const u32 *s)
{
	bool empty = false;

	for (u32 way = 0; way < a->ways; way++) {
		if (a->policy == POLICY_LRU && empty && s[way] != ASSOC_NONE)
			return false;
		empty = s[way] == ASSOC_NONE;
		if (!empty && way_of(a, s, s[way]) != way)
			return false;
	}
	for (u32 way = a->ways; way < a->lanes; way++)
		if (s[way] != ASSOC_NONE)
			return false;
	return true;
}

bool assoc_check(const struct assoc *a)
{
	for (u32 set = 0; set < a->sets; set++)
		if (!set_is_sane(a, a->tags + (size_t)set * a->lanes))
			return false;
	return true;
}
