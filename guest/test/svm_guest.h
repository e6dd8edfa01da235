/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of L2 that has all its tables to itself, so that one entry at any
 * level, of L1's nested tables or of L2's own, can be changed and nothing else
 * of L2 notices:
 *
 *	TARGET, GVA = GPA   L2's tables: root -> directories -> 2 MiB page
 *	                    nested: chain A of four levels -> 4 KiB of data A
 *
 * Chain B is another one, not linked, that leads to data B. The data are real
 * memory behind everything else that a payload uses, and each one lies where
 * a large page at any level of the nested chain would put it, too: the 2 MiB
 * page at TARGET_DATA(c), the 1 GiB page at 0 (chain A only).
 *
 * target_reset() after svm_reset(); it puts the chain into L1's nested table
 * and L2 on page tables of its own.
 */
#pragma once

#include "guest/test/svm.h"

#define TARGET_OFFSET	8ull
#define TARGET_PAGE	(1ull << 39 | 1ull << 30 | 18ull << 21 | 5ull << 12)
#define TARGET		(TARGET_PAGE | TARGET_OFFSET)
#define TARGET_DATA(c)	((18ull + (c)) << 21) /* physical */
#define TARGET_WORD(c)	(*(volatile u64 *)(TARGET_DATA(c) | 0x5008))
#define TARGET_INDEX(n) (TARGET_PAGE >> (12 + 9 * ((n)-1)) & 511)

enum { CHAIN_A, CHAIN_B, CHAINS };
enum { LEVEL_PT = 1, LEVEL_PD, LEVEL_PDPT, LEVEL_PML4 };

/* What TARGET_WORD is after a reset. */
#define WORD_A 0xaaaa0001ull
#define WORD_B 0xbbbb0002ull

void target_reset(void);

/* The entry for TARGET at @level of a chain; at LEVEL_PML4, of the root that
 * L1 runs L2 with (chain A) or of the other root (chain B). */
u64 *target_entry(unsigned chain, unsigned level);

/* The root of a chain: a whole nested table, for control.ncr3. */
u64 target_root(unsigned chain);

/* The entry for TARGET in L2's own tables; LEVEL_PD is a leaf. Its table is a
 * page of the scratch region, so svm_npte() has it. */
u64 *target_guest_entry(unsigned level);

/* The root of other tables for L2, in the scratch region: as they are now, but
 * TARGET leads to data B. */
u64 target_other_tables(void);

/* CPUID: pages of 1 GiB. */
bool has_1g_pages(void);
