/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/buddy.h"

#define TOP_ORDER (BUDDY_ORDERS - 1)

int buddy_init(struct buddy *b, u64 frames)
{
	bool ok = true;

	*b = (struct buddy){.frames = frames};
	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		ok &= lowest_init(&b->free[i], frames >> i) == 0;
	if (!ok) {
		buddy_free_all(b);
		return -1;
	}
	for (u64 n = 0; n < frames >> TOP_ORDER; n++)
		lowest_put(&b->free[TOP_ORDER], n, true);
	return 0;
}

void buddy_free_all(struct buddy *b)
{
	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		lowest_free(&b->free[i]);
	*b = (struct buddy){0};
}

u64 buddy_take(struct buddy *b, unsigned order)
{
	unsigned from = order;
	u64 n;

	while (from < TOP_ORDER &&
	       lowest_find(&b->free[from]) == b->free[from].n)
		from++;
	n = lowest_find(&b->free[from]);
	if (n == b->free[from].n)
		return BUDDY_NONE;
	lowest_put(&b->free[from], n, false);
	for (; from > order; from--) {
		n *= 2;
		lowest_put(&b->free[from - 1], n + 1, true);
	}
	b->used += 1ull << order;
	return n << order;
}

void buddy_give(struct buddy *b, u64 frame, unsigned order)
{
	u64 n = frame >> order;

	b->used -= 1ull << order;
	while (order < TOP_ORDER && lowest_put(&b->free[order], n ^ 1, false)) {
		n /= 2;
		order++;
	}
	lowest_put(&b->free[order], n, true);
}
