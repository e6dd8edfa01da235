/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/space.h"

#include "hv/mem.h"
#include "hv/mmio.h"
#include "hv/ptable.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define CPUID_SIZES 0x80000008u
#define MAX_BITS    46 /* half of what DIRECT_MAP has room for */

/* The nested walk is one of user mode (APM vol. 2, 15.25.5). */
#define NPT_TABLE (PTE_TABLE | PTE_USER)
#define NPT_READ  (PTE_PRESENT | PTE_USER | PTE_ACCESSED)
#define NPT_ALL	  (NPT_READ | PTE_WRITE | PTE_DIRTY)

static struct {
	struct ptable npt;
	u64 ones; /* a page of ones: what reading no memory gives */
	u64 size;
	u64 block, end; /* L0's */
} space;

bool space_is_plain(u64 start, u64 size)
{
	u64 end = start + size;

	return end >= start && end <= space.size &&
	       !mmio_is_trapped(start, end);
}

static const void *map_l1(void *ctx, u64 pa, u64 len)
{
	(void)ctx;
	return space_is_plain(pa, len) ? phys_to_virt(pa) : NULL;
}

struct phys space_l1 = {.map = map_l1};

u64 space_size(void)
{
	u32 bits = cpuid(CPUID_SIZES, 0).eax & 0xff;

	return 1ull << (bits < MAX_BITS ? bits : MAX_BITS);
}

void space_block(u64 *start, u64 *end)
{
	*start = space.block;
	*end = space.end;
}

u64 space_root(void)
{
	return space.npt.root;
}

u64 *space_entry(u64 pa, unsigned *level)
{
	return ptable_entry(&space.npt, pa, level);
}

void space_split(u64 *entry, unsigned level, u64 *table)
{
	ptable_split(&space.npt, entry, level, table);
}

void space_join(u64 *entry, u64 page)
{
	__atomic_store_n(entry, page, __ATOMIC_RELEASE);
}

void space_trap_writes(u64 start, u64 size)
{
	ptable_map(&space.npt, start, start, size, NPT_READ);
}

void space_hide(u64 start, u64 size)
{
	mmio_add(&(struct mmio_range){.name = "hole",
				      .start = start,
				      .end = start + size,
				      .read = mmio_read_ones,
				      .write = mmio_write_nothing});
	ptable_fill(&space.npt, start, size, space.ones | NPT_READ);
}

void space_build(u64 start, u64 end)
{
	void *ones = mem_pages(1, PAGE_SIZE);

	space_l1.direct = phys_to_virt(0);
	space_l1.direct_end = start;
	space.size = space_size();
	space.block = start;
	space.end = end;
	space.ones = virt_to_phys(memset(ones, 0xff, PAGE_SIZE));
	space.npt = ptable_new(NPT_TABLE);
	ptable_map(&space.npt, 0, 0, space.size, NPT_ALL);
	space_hide(start, end - start);
}
