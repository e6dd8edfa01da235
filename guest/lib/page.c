/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/page.h"

#include "lib/cpu.h"

#define IDENTITY_END ((u64)IDENTITY_GIB << 30)
#define PTE_ADDRESS  0x000ffffffffff000ull

/* start.S: four page directories in a row, one entry per 2 MiB. */
extern u64 page_directories[IDENTITY_GIB * PTES_PER_TABLE];

static u64 tables[PAGE_SPLITS_MAX][PTES_PER_TABLE]
	__attribute__((aligned(PAGE_SIZE)));
static unsigned tables_used;

/* Replaces a 2 MiB entry by a table of 512 entries that say the same. */
static int split(u64 *entry)
{
	u64 *table;

	if (tables_used == PAGE_SPLITS_MAX)
		return -1;
	table = tables[tables_used++];
	for (unsigned i = 0; i < PTES_PER_TABLE; i++)
		table[i] = (*entry & ~(u64)PTE_LARGE) + i * (u64)PAGE_SIZE;
	*entry = (u64)table | PTE_TABLE;
	return 0;
}

static int set(u64 va, u64 pte)
{
	u64 *entry = &page_directories[va / LARGE_PAGE_SIZE];
	u64 *table;

	if (va >= IDENTITY_END)
		return -1;
	if ((*entry & PTE_LARGE) && split(entry))
		return -1;
	table = (u64 *)(*entry & PTE_ADDRESS);
	table[va / PAGE_SIZE % PTES_PER_TABLE] = pte;
	invlpg(va);
	return 0;
}

int page_map(u64 va, u64 pa, u64 flags)
{
	return set(va, (pa & PTE_ADDRESS) | flags);
}

int page_unmap(u64 va)
{
	return set(va, 0);
}
