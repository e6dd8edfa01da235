/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/msrpm.h"

#include "hv/mem.h"
#include "lib/vmcb.h"

#define MSRPM_PAGES 2
#define IOPM_PAGES  3 /* the third: accesses that cross port 0xffff */

static u8 *msrpm, *iopm;

void svm_maps_init(void)
{
	msrpm = mem_pages(MSRPM_PAGES, PAGE_SIZE);
	iopm = mem_pages(IOPM_PAGES, PAGE_SIZE);
}

u64 svm_msrpm(void)
{
	return virt_to_phys(msrpm);
}

u64 svm_iopm(void)
{
	return virt_to_phys(iopm);
}

void svm_trap_msr(u32 msr, bool reads, bool writes)
{
	unsigned traps = (reads ? 1u : 0) | (writes ? 2u : 0);
	u32 bit;

	if (vmcb_msrpm_bit(msr, &bit))
		msrpm[bit / 8] |= (u8)(traps << bit % 8);
}

void svm_trap_port(u16 port)
{
	iopm[port / 8] |= (u8)(1u << port % 8);
}
