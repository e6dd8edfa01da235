/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/gwalk.h"

#include "lib/x86.h"

#define PAE_ADDR    0x000ffffffffff000ull
#define PAE_LEVELS  3 /* PDPT, PD, PT; long mode has one or two more */
#define PAE_ROOT    0xffffffe0ull
#define LEGACY_ADDR 0xfffff000u
#define PSE_HIGH    0x001fe000u /* address bits 39:32 of a 4 MiB page */

static bool read(const struct phys *p, u64 pa, void *to, size_t n)
{
	const void *from = phys_map(p, pa, n);

	if (from)
		__builtin_memcpy(to, from, n);
	return from;
}

/* 32-bit paging: two levels, 4 bytes an entry (APM vol. 2, 5.2.1). */
static bool walk_legacy(const struct phys *p, const struct guest_view *g,
			u32 va, u64 *pa)
{
	u64 table = g->cr3 & LEGACY_ADDR;
	u32 entry;

	if (!read(p, table + (va >> 22) * 4ull, &entry, sizeof(entry)) ||
	    !(entry & PTE_PRESENT))
		return false;
	if (entry & PTE_LARGE && g->cr4 & CR4_PSE) {
		*pa = (entry & 0xffc00000u) |
		      (u64)(entry & PSE_HIGH) << (32 - 13) | (va & 0x3fffffu);
		return true;
	}
	table = entry & LEGACY_ADDR;
	if (!read(p, table + (va >> 12) % 1024 * 4ull, &entry, sizeof(entry)) ||
	    !(entry & PTE_PRESENT))
		return false;
	*pa = (entry & LEGACY_ADDR) | va % PAGE_SIZE;
	return true;
}

/* PAE and long mode: 8 bytes an entry, 9 bits a level (APM vol. 2, 5.2.3). */
static bool walk_pae(const struct phys *p, u64 table, unsigned levels, u64 va,
		     u64 *pa)
{
	for (unsigned shift = 12 + 9 * (levels - 1);; shift -= 9) {
		const u64 *at = phys_map(
			p, table + (va >> shift) % PTES_PER_TABLE * 8ull, 8);

		if (!at || !(*at & PTE_PRESENT))
			return false;
		table = *at & PAE_ADDR;
		if (shift == 12 || (*at & PTE_LARGE && shift <= 30)) {
			u64 inside = (1ull << shift) - 1;

			*pa = (table & ~inside) | (va & inside);
			return true;
		}
	}
}

bool gwalk(const struct phys *p, const struct guest_view *g, u64 va, u64 *pa)
{
	if (!(g->cr0 & CR0_PG)) {
		*pa = va;
		return true;
	}
	if (g->efer & EFER_LMA)
		return walk_pae(p, g->cr3 & PAE_ADDR,
				PAE_LEVELS + 1 + !!(g->cr4 & CR4_LA57), va, pa);
	if (g->cr4 & CR4_PAE)
		return walk_pae(p, g->cr3 & PAE_ROOT, PAE_LEVELS, (u32)va, pa);
	return walk_legacy(p, g, (u32)va, pa);
}

size_t gwalk_read(const struct phys *p, const struct guest_view *g, u64 va,
		  void *to, size_t n)
{
	size_t got = 0;

	while (got < n) {
		u64 at = va + got, pa;
		size_t part = PAGE_SIZE - at % PAGE_SIZE;

		if (g->mode != X86_64)
			at = (u32)at;
		if (part > n - got)
			part = n - got;
		if (!gwalk(p, g, at, &pa) || !read(p, pa, (u8 *)to + got, part))
			break;
		got += part;
	}
	return got;
}
