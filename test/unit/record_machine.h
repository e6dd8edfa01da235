/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1 for tests of hv/svm/record.c and ahead.c: its registers, a little memory
 * at fixed addresses with page tables in it, and NPT01's entries of that.
 * Physical addresses are pointers. What is behind the code's page is not there.
 */
#pragma once

#include "hv/svm/ahead.h"
#include "lib/x86.h"
#include "test/unit/unit.h"

#define RAM 0x40000000ull /* a page of 1 GiB may begin there */

/* L1's pages, by number. */
enum {
	PAGE_PML4,
	PAGE_PDPT,
	PAGE_PD,
	PAGE_PT,
	PAGE_STACK,
	PAGE_A,
	PAGE_B,
	PAGE_C,
	PAGE_BLOCK,
	PAGE_BLOCK_2,
	PAGE_CODE,
	PAGES
};

/* Where L1 sees them: by pages of 4 KiB, twice, and by the larger ones. */
#define VA_4K	 0xffffffff80000000ull
#define VA_ALIAS (VA_4K + 0x40000)
#define VA_2M	 (VA_4K + 0x200000)
#define VA_1G	 0xffffffffc0000000ull

/* In PAGE_PML4 and the next three. */
#define SLOT_PML4 511
#define SLOT_PDPT 510
#define SLOT_1G	  511
#define SLOT_2M	  1
#define ALIASES	  64 /* entries of PAGE_PT from there on */

#define ENTRY_FULL (PTE_TABLE | PTE_ACCESSED | PTE_DIRTY)
#define BLOCK_STAR 0x600 /* what VMLOAD and VMSAVE move here: a word */

struct machine {
	struct vcpu v;
	struct vmcb vmcb01;
	u64 npt01[PAGES];
	bool traps[PAGES]; /* L0 does, and so has no such memory of L1's */
	bool gif;
	u64 star; /* of the CPU */
};

extern struct machine machine;

/* L1 in 64-bit mode at CPL 0, at the beginning of PAGE_CODE, with all pages
 * open to it; its GIF is 0. Nothing is recorded. */
void machine_new(void);

/* L1's @page where they begin at @start. */
static inline u64 page_in(u64 start, unsigned page)
{
	return start + (u64)page * PAGE_SIZE;
}

static inline u64 page_pa(unsigned page)
{
	return page_in(RAM, page);
}

static inline u64 page_va(unsigned page)
{
	return page_in(VA_4K, page);
}

/* Word @n of a page. */
static inline u64 *word(unsigned page, unsigned n)
{
	return (u64 *)page_pa(page) + n;
}

/* The entry of the 4 KiB that page_va() names. */
static inline u64 *entry_of(unsigned page)
{
	return word(PAGE_PT, page);
}

/* Register @reg of L1's. */
static inline u64 *gpr(unsigned reg)
{
	if (reg == RAX)
		return &machine.vmcb01.save.rax;
	return reg == RSP ? &machine.vmcb01.save.rsp : &machine.v.regs.gpr[reg];
}
