/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/space.h"

#include "hv/ptable.h"
#include "lib/cpu.h"

#define CPUID_SIZES 0x80000008u
#define MAX_BITS    46 /* half of what DIRECT_MAP has room for */

u64 space_size(void)
{
	u32 bits = cpuid(CPUID_SIZES, 0).eax & 0xff;

	return 1ull << (bits < MAX_BITS ? bits : MAX_BITS);
}

/* The nested walk is one of user mode (APM vol. 2, 15.25.5). */
u64 space_build(u64 start, u64 end)
{
	const u64 all = PTE_TABLE | PTE_USER;
	struct ptable t = ptable_new(all);

	ptable_map(&t, 0, 0, space_size(), all | PTE_ACCESSED | PTE_DIRTY);
	ptable_unmap(&t, start, end - start);
	return t.root;
}
