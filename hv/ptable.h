/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds four-level page tables: L0's own and NPT01, which have the same format
 * (AMD APM vol. 2, 5.3 and 15.25). Tables come from mem_pages() and stay.
 */
#pragma once

#include "lib/types.h"

#define PT_NX	  (1ull << 63)
#define PT_ADDR	  0x000ffffffffff000ull
#define SIZE_4K	  0x1000ull
#define SIZE_2M	  0x200000ull
#define SIZE_1G	  0x40000000ull
#define PT_LEVELS 4

struct ptable {
	u64 root;   /* physical */
	u64 middle; /* bits of every entry that points to a table */
};

struct ptable ptable_new(u64 middle);

/*
 * Maps @va to @pa, @size bytes (multiples of 4 KiB), with @bits in the leaves,
 * by the largest pages that fit. A larger page in the way is split.
 */
void ptable_map(struct ptable *t, u64 va, u64 pa, u64 size, u64 bits);

/*
 * Makes every 4 KiB of [@va, @va + @size) one and the same @leaf, an entry.
 * Whole 2 MiB share one table.
 */
void ptable_fill(struct ptable *t, u64 va, u64 size, u64 leaf);
