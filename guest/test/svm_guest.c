/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test/svm_guest.h"

#include "lib/cpu.h"
#include "lib/string.h"

#define PAGE_ALIGNED	   __attribute__((aligned(PAGE_SIZE)))
#define PTE_ADDRESS	   0x000ffffffffff000ull
#define CPUID_FEATURES	   0x80000001
#define EDX_PAGES_1G	   (1u << 26)
#define OTHER_TABLES	   (SVM_SCRATCH + 0x18000)
#define GUEST_TABLE(level) (SVM_SCRATCH + 0x10000ul + (level) * (u64)PAGE_SIZE)

static u64 tables[CHAINS][LEVEL_PML4 + 1][PTES_PER_TABLE] PAGE_ALIGNED;

static u64 *root(unsigned chain)
{
	return chain == CHAIN_A ? (u64 *)svm_vmcb.control.ncr3
				: tables[CHAIN_B][LEVEL_PML4];
}

u64 target_root(unsigned chain)
{
	return (u64)root(chain);
}

u64 *target_entry(unsigned chain, unsigned level)
{
	u64 *table = level == LEVEL_PML4 ? root(chain) : tables[chain][level];

	return &table[TARGET_INDEX(level)];
}

u64 *target_guest_entry(unsigned level)
{
	return (u64 *)GUEST_TABLE(level) + TARGET_INDEX(level);
}

static void reset_chain(unsigned chain)
{
	memset(tables[chain], 0, sizeof(tables[chain]));
	if (chain == CHAIN_B)
		*root(CHAIN_B) = *root(CHAIN_A);
	for (unsigned level = LEVEL_PML4; level > LEVEL_PT; level--)
		*target_entry(chain, level) =
			(u64)tables[chain][level - 1] | NPTE_ALL;
	*target_entry(chain, LEVEL_PT) =
		(TARGET_DATA(chain) | (TARGET_PAGE & 0x1ff000)) | NPTE_ALL;
}

static void reset_guest_tables(void)
{
	memset((void *)GUEST_TABLE(LEVEL_PD), 0, 3ul * PAGE_SIZE);
	memcpy((void *)GUEST_TABLE(LEVEL_PML4),
	       (void *)(svm_vmcb.save.cr3 & PTE_ADDRESS), PAGE_SIZE);
	*target_guest_entry(LEVEL_PML4) = GUEST_TABLE(LEVEL_PDPT) | PTE_TABLE;
	*target_guest_entry(LEVEL_PDPT) = GUEST_TABLE(LEVEL_PD) | PTE_TABLE;
	*target_guest_entry(LEVEL_PD) =
		(TARGET_PAGE & ~(LARGE_PAGE_SIZE - 1ull)) | PTE_LARGE |
		PTE_TABLE;
	svm_vmcb.save.cr3 = GUEST_TABLE(LEVEL_PML4);
}

void target_reset(void)
{
	reset_chain(CHAIN_A);
	reset_chain(CHAIN_B);
	reset_guest_tables();
	TARGET_WORD(CHAIN_A) = WORD_A;
	TARGET_WORD(CHAIN_B) = WORD_B;
}

u64 target_other_tables(void)
{
	u64(*t)[PTES_PER_TABLE] = (void *)OTHER_TABLES;

	memset(t, 0, 3ul * PAGE_SIZE);
	memcpy(t[0], (void *)(svm_vmcb.save.cr3 & PTE_ADDRESS), PAGE_SIZE);
	t[0][TARGET_INDEX(LEVEL_PML4)] = (u64)t[1] | PTE_TABLE;
	t[1][TARGET_INDEX(LEVEL_PDPT)] = (u64)t[2] | PTE_TABLE;
	t[2][TARGET_INDEX(LEVEL_PD)] =
		TARGET_DATA(CHAIN_B) | PTE_LARGE | PTE_TABLE;
	return (u64)t;
}

bool has_1g_pages(void)
{
	return cpuid(CPUID_FEATURES, 0).edx & EDX_PAGES_1G;
}
