/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds four-level page tables: L0's own and NPT01, which have the same format
 * (AMD APM vol. 2, 5.3 and 15.25), and those of an IOMMU (AMD I/O
 * Virtualization Technology specification, 2.2.3). Tables come from mem_pages()
 * and stay, but for ptable_split()'s.
 */
#pragma once

#include "lib/types.h"
#include "lib/x86.h"

#define PT_NX	  (1ull << 63)
#define SIZE_4K	  0x1000ull
#define SIZE_2M	  0x200000ull
#define PT_LEVELS 4

/* An IOMMU's entries: which rights, and the level of the table that is next,
 * from 1 up; none behind a page, whatever its size. */
#define IO_READ	 (1ull << 61)
#define IO_WRITE (1ull << 62)
#define IO_NEXT	 0xe00ull

struct ptable {
	u64 root;   /* physical */
	u64 middle; /* bits of every entry that points to a table */
	bool io;    /* an IOMMU's */
};

/* Bytes that an entry of @level covers; level 0 holds 4 KiB pages. */
static inline u64 pt_span(unsigned level)
{
	return SIZE_4K << 9 * level;
}

struct ptable ptable_new(u64 middle);
struct ptable ptable_new_io(void);

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

/* Takes away what is mapped at [@va, @va + @size). */
void ptable_unmap(struct ptable *t, u64 va, u64 size);

/* The entry that maps @va, or would, and its level. */
u64 *ptable_entry(const struct ptable *t, u64 va, unsigned *level);

/*
 * Puts @table, a zeroed page, in place of @entry, a page of @level or nothing.
 * Nothing changes for CPUs that use the tables meanwhile. Storing the old entry
 * takes it back.
 */
void ptable_split(const struct ptable *t, u64 *entry, unsigned level,
		  u64 *table);
