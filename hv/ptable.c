/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/ptable.h"

#include "hv/mem.h"

struct ptable ptable_new(u64 middle)
{
	return (struct ptable){virt_to_phys(mem_pages(1, PAGE_SIZE)), middle};
}

/* Bytes that an entry of @level covers; level 0 holds 4 KiB pages. */
static u64 span(unsigned level)
{
	return SIZE_4K << 9 * level;
}

/* A table in place of @entry, a page of @level or nothing. */
static void split(const struct ptable *t, u64 *entry, unsigned level)
{
	u64 *table = mem_pages(1, PAGE_SIZE), old = *entry;

	for (u64 i = 0; old && i < PTES_PER_TABLE; i++)
		table[i] = level > 1 ? old + i * span(level - 1)
				     : (old & ~(u64)PTE_LARGE) + i * SIZE_4K;
	*entry = virt_to_phys(table) | t->middle;
}

/* The entry of @va in the table of @level. */
static u64 *find(const struct ptable *t, u64 va, unsigned level)
{
	u64 *table = phys_to_virt(t->root);

	for (unsigned l = PT_LEVELS - 1;; l--) {
		u64 *entry = &table[va / span(l) % PTES_PER_TABLE];

		if (l == level)
			return entry;
		if (!(*entry & PTE_PRESENT) || *entry & PTE_LARGE)
			split(t, entry, l);
		table = phys_to_virt(*entry & PT_ADDR);
	}
}

/* The level of the largest page for what is left of a mapping. */
static unsigned best_level(u64 va, u64 pa, u64 size)
{
	unsigned level = 2;

	while (level && ((va | pa) % span(level) || size < span(level)))
		level--;
	return level;
}

void ptable_map(struct ptable *t, u64 va, u64 pa, u64 size, u64 bits)
{
	while (size) {
		unsigned level = best_level(va, pa, size);

		*find(t, va, level) = pa | bits | (level ? PTE_LARGE : 0);
		va += span(level);
		pa += span(level);
		size -= span(level);
	}
}

void ptable_fill(struct ptable *t, u64 va, u64 size, u64 leaf)
{
	u64 *shared = NULL;

	while (size) {
		bool whole = !(va % SIZE_2M) && size >= SIZE_2M;
		u64 step = whole ? SIZE_2M : SIZE_4K;

		if (!whole) {
			*find(t, va, 0) = leaf;
		} else {
			if (!shared) {
				shared = mem_pages(1, PAGE_SIZE);
				for (u64 i = 0; i < PTES_PER_TABLE; i++)
					shared[i] = leaf;
			}
			*find(t, va, 1) = virt_to_phys(shared) | t->middle;
		}
		va += step;
		size -= step;
	}
}
