/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/key.h"

#include <string.h>

#define NO_OWNER ~0ull

void keys_init(struct keys *k)
{
	memset(k->owner, 0xff, sizeof(k->owner));
	memset(k->slot_owner, 0xff, sizeof(k->slot_owner));
	k->used = 0;
}

/* The kernel's half is the same in all processes: process 0 has it. */
static u64 owner_of(u16 process, u64 addr)
{
	if (addr >> 63)
		process = 0;
	return (u64)process << 48 | addr >> REGION_SHIFT;
}

/* Consecutive regions have consecutive slots; linear probing. */
static u32 slot_of(const struct keys *k, u64 owner)
{
	u32 slot = (u32)(owner ^ owner >> 10 ^ owner >> 45) % KEY_SLOTS;

	while (k->slot_owner[slot] != owner && k->slot_owner[slot] != NO_OWNER)
		slot = (slot + 1) % KEY_SLOTS;
	return slot;
}

/* What to add to addresses of a region to make keys, or < 0. */
static int offset_of(struct keys *k, u64 owner, u64 *offset)
{
	u32 slot = slot_of(k, owner);

	if (k->slot_owner[slot] == NO_OWNER) {
		if (k->used == REGIONS)
			return -1;
		k->owner[k->used] = owner;
		k->slot_owner[slot] = owner;
		k->slot_offset[slot] = (k->used++ - owner) << REGION_SHIFT;
	}
	*offset = k->slot_offset[slot];
	return 0;
}

int keys_of(struct keys *k, u16 process, u64 addr, va_t *key)
{
	u64 offset;

	if (offset_of(k, owner_of(process, addr), &offset))
		return -1;
	key->v = addr + offset;
	return 0;
}

/* True if all addresses lie in the region of the first. */
static bool one_region(const u64 *addr, size_t n)
{
	u64 differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= addr[i] ^ addr[0];
	return !(differ >> REGION_SHIFT);
}

int keys_of_all(struct keys *k, u16 process, const u64 *addr, u64 *key,
		size_t n)
{
	u64 offset;

	if (!n)
		return 0;
	if (offset_of(k, owner_of(process, addr[0]), &offset))
		return -1;
	if (one_region(addr, n)) {
		for (size_t i = 0; i < n; i++)
			key[i] = addr[i] + offset;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (offset_of(k, owner_of(process, addr[i]), &offset))
			return -1;
		key[i] = addr[i] + offset;
	}
	return 0;
}

int keys_reserve(struct keys *k, u16 process, u64 start, u64 end)
{
	u64 offset, last = owner_of(process, end - 1);

	for (u64 owner = owner_of(process, start); owner <= last; owner++)
		if (offset_of(k, owner, &offset))
			return -1;
	return 0;
}
