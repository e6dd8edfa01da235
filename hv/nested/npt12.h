/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NPT12, L1's nested page tables for L2: the walk that the CPU would make if
 * L1 ran on it, in L1's memory and in software (APM vol. 2, 15.25). It sets
 * accessed and dirty bits as the CPU does, by a locked compare-exchange, while
 * L1 may change the same entry on another CPU.
 *
 * Whoever accesses L2's memory on its behalf translates by it. What struct phys
 * maps of L1 has to be writable. An entry where L1 has no memory reads as ones.
 * Pure, takes no locks.
 *
 * Levels are counted from 0, the table of 4 KiB pages, as in hv/ptable.h.
 */
#pragma once

#include "hv/ptable.h"
#include "hv/vmm.h"
#include "lib/phys.h"
#include "lib/x86.h"

/* The rest of a nested page fault's error code (APM vol. 2, 15.25.6). */
#define NPF_PRESENT  0x1u
#define NPF_USER     0x4u
#define NPF_RESERVED 0x8u
#define NPF_FETCH    0x10u
#define NPF_FINAL    0x100000000ull /* at the guest's final address */

/* What defines an NPT12's format: nested paging has the mode of L1's own. */
struct npt12 {
	u64 root;     /* physical address of the top table */
	u64 reserved; /* bits that no entry may have */
	u8 levels;    /* 4: long mode, 3: PAE */
	bool nx;
};

/*
 * From nCR3 and L1's registers at its VMRUN, with CR0.PG=1; @bits is the size
 * of L1's physical addresses. False: a mode that nestbox does not have.
 */
bool npt12_init(struct npt12 *npt, u64 ncr3, u64 cr4, u64 efer, unsigned bits);

/* Of a walk, by level, from npt12.levels - 1 down to @leaf. */
struct npt12_path {
	u64 table[PT_LEVELS]; /* L1-physical address */
	u64 entry[PT_LEVELS]; /* as from npt12_entry() */
	unsigned leaf;	      /* the level whose entry is the page */
	u64 l1pa;
	u64 error; /* of a walk that fails, bits 0 to 4 of EXITINFO1 */
};

/* Translates for an access of NPF_WRITE, NPF_FETCH, both or none of them. */
bool npt12_walk(const struct phys *l1, const struct npt12 *npt, u64 l2pa,
		u64 access, struct npt12_path *path);

bool npt12_translate(const struct phys *l1, const struct npt12 *npt, u64 l2pa,
		     bool write, u64 *l1pa);

/* The entry of @level that reads @raw, in long mode's format. 0: it is not
 * present or has reserved bits. */
u64 npt12_entry(const struct npt12 *npt, unsigned level, u64 raw);

/* Whether @entry, present, maps a page and not a table. */
static inline bool npt_is_page(unsigned level, u64 entry)
{
	return !level || entry & PTE_LARGE;
}

/* Where the page is that @entry of @level maps. */
static inline u64 npt_page(unsigned level, u64 entry)
{
	return entry & PT_ADDR & ~(pt_span(level) - 1);
}
