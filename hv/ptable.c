/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/ptable.h"

#include "hv/mem.h"

#define IO_NEXT_SHIFT 9

static u64 *new_table(void)
{
	return mem_pages(1, PAGE_SIZE);
}

struct ptable ptable_new(u64 middle)
{
	return (struct ptable){virt_to_phys(new_table()), middle, false};
}

struct ptable ptable_new_io(void)
{
	return (struct ptable){virt_to_phys(new_table()),
			       PTE_PRESENT | IO_READ | IO_WRITE, true};
}

static bool is_table(const struct ptable *t, u64 entry)
{
	return entry & PTE_PRESENT &&
	       (t->io ? entry & IO_NEXT : !(entry & PTE_LARGE));
}

/* What an entry of @level has if it is a page. */
static u64 page_bits(const struct ptable *t, unsigned level)
{
	return level && !t->io ? PTE_LARGE : 0;
}

static u64 table_bits(const struct ptable *t, unsigned level)
{
	return t->middle | (t->io ? (u64)level << IO_NEXT_SHIFT : 0);
}

void ptable_split(const struct ptable *t, u64 *entry, unsigned level,
		  u64 *table)
{
	u64 old = *entry;
	u64 first = (old & ~page_bits(t, level)) | page_bits(t, level - 1);

	for (u64 i = 0; old && i < PTES_PER_TABLE; i++)
		table[i] = first + i * pt_span(level - 1);
	__atomic_store_n(entry, virt_to_phys(table) | table_bits(t, level),
			 __ATOMIC_RELEASE);
}

/* The entry of @va in the table of @level. */
static u64 *find(const struct ptable *t, u64 va, unsigned level)
{
	u64 *table = phys_to_virt(t->root);

	for (unsigned l = PT_LEVELS - 1;; l--) {
		u64 *entry = &table[va / pt_span(l) % PTES_PER_TABLE];

		if (l == level)
			return entry;
		if (!is_table(t, *entry))
			ptable_split(t, entry, l, new_table());
		table = phys_to_virt(*entry & PT_ADDR);
	}
}

u64 *ptable_entry(const struct ptable *t, u64 va, unsigned *level)
{
	u64 *table = phys_to_virt(t->root);

	for (*level = PT_LEVELS - 1;; (*level)--) {
		u64 *entry = &table[va / pt_span(*level) % PTES_PER_TABLE];

		if (!*level || !is_table(t, *entry))
			return entry;
		table = phys_to_virt(*entry & PT_ADDR);
	}
}

/* The level of the largest page for what is left of a mapping. */
static unsigned best_level(u64 va, u64 pa, u64 size)
{
	unsigned level = 2;

	while (level && ((va | pa) % pt_span(level) || size < pt_span(level)))
		level--;
	return level;
}

void ptable_map(struct ptable *t, u64 va, u64 pa, u64 size, u64 bits)
{
	while (size) {
		unsigned level = best_level(va, pa, size);

		*find(t, va, level) = pa | bits | page_bits(t, level);
		va += pt_span(level);
		pa += pt_span(level);
		size -= pt_span(level);
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
			*find(t, va, 1) =
				virt_to_phys(shared) | table_bits(t, 1);
		}
		va += step;
		size -= step;
	}
}

void ptable_unmap(struct ptable *t, u64 va, u64 size)
{
	while (size) {
		unsigned level = best_level(va, va, size);

		*find(t, va, level) = 0;
		va += pt_span(level);
		size -= pt_span(level);
	}
}
