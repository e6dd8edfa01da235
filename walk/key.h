/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a row (walk/addr.h): which region number each 16 GiB that a
 * process touches has got. Made by walk_run(), which turns the accesses'
 * addresses into keys; walk/space uses the same struct (spec->keys) for those
 * of events. One row, one thread.
 *
 * Addresses of the upper half, which traces of whole systems have, belong to
 * process 0, whoever uses them: those pages are global.
 */
#pragma once

#include "lib/types.h"
#include "walk/addr.h"

#define KEY_SLOTS 1024 /* of the hash table: REGIONS fill an eighth of it */

struct keys {
	/* By region number: process << 48 | address >> REGION_SHIFT. */
	u64 owner[REGIONS];
	u32 used;
	/* By hash: a copy of the owner, and what to add to the address (a
	 * difference of multiples of 16 GiB, modulo 2^64). */
	u64 slot_owner[KEY_SLOTS];
	u64 slot_offset[KEY_SLOTS];
};

void keys_init(struct keys *k);

/* The key of @addr in @process; its region gets a number if it has none.
 * Returns < 0 if there are no more numbers. */
int keys_of(struct keys *k, u16 process, u64 addr, va_t *key);

/* The same for @n addresses. */
int keys_of_all(struct keys *k, u16 process, const u64 *addr, u64 *key,
		size_t n);

/* Gives the regions of [@start, @end) consecutive numbers, as far as they
 * have none yet: a VMA's keys are then as contiguous as its addresses. */
int keys_reserve(struct keys *k, u16 process, u64 start, u64 end);

static inline u16 key_process(const struct keys *k, va_t key)
{
	return (u16)(k->owner[key.v >> REGION_SHIFT] >> 48);
}

/* The virtual address that @key stands for. */
static inline u64 key_address(const struct keys *k, va_t key)
{
	u64 region = k->owner[key.v >> REGION_SHIFT] << 16 >> 16;

	return region << REGION_SHIFT | (key.v & ((1ull << REGION_SHIFT) - 1));
}
