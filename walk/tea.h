/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation entry areas (DMT, ASPLOS'24, sections 3 and 4): for clusters of
 * VMAs the leaf entries in the order of their pages, in contiguous memory, so
 * that the entry of a page is at base + (VPN - first VPN) * 8.
 *
 * A TEA is made of whole table pages, to which the radix tables point, too.
 * Hence it begins and ends where a table page does (2 MiB of addresses for
 * TEA-L1, whose pages are 4 KiB; 1 GiB for TEA-L2), and VMAs that share a table
 * page share the TEA. Otherwise neighbours are merged while the bubbles between
 * them are at most 2 % of the whole (section 4.2).
 *
 * With transparent large pages a VMA has a TEA-L2 for what they can cover, and
 * a TEA-L1 for each end that they cannot; small pages in between, which a split
 * leaves, are walked by radix.
 *
 * When VMAs change, TEAs grow, shrink and split in place; where what stands
 * behind is in use, a new area is allocated and the table pages are moved at
 * once. An area that cannot be had is not present: walks fall back to radix
 * until the VMAs change again. Moving in the background, and halves where the
 * whole does not fit, are not modelled.
 *
 * The 16 registers of a set hold the largest TEAs, not the hottest (section
 * 4.4): those of most bytes, of equal ones the lower.
 *
 * Simplification: a walk that falls back to radix reads the leaf entries of
 * walk/dim.h, not these; the two cost the same, but are different lines.
 *
 * Who calls it: walk/space*.c. Functions return < 0 if there is no memory.
 */
#pragma once

#include "walk/addr.h"
#include "walk/bits.h"
#include "walk/vma.h"
#include "walk/walk.h"

#define TEA_REGISTERS 16 /* a set: section 4.1 */

struct tea {
	u64 start, end; /* input addresses that it covers */
	u64 base;	/* address of the entry for @start */
	u32 gtea;	/* pvDMT: its number in the gTEA table */
	enum page_size size;
	bool present; /* false: there was no room for it */
};

/* Contiguous memory for TEAs: which pages of an area of addresses are in use,
 * of those below the highest ever used. */
struct tea_area {
	u64 base, pages;
	u64 *used; /* bit map */
	u64 high, in_use;
};

/* The entry of @at in @t. */
static inline u64 tea_entry(const struct tea *t, u64 at)
{
	return t->base + ((at - t->start) >> size_shift(t->size) << 3);
}

/* Addresses that one table page of a TEA of @size covers. */
static inline u64 tea_unit(enum page_size size)
{
	return 1ull << (size_shift(size) + 9);
}

/* Table pages of @t, which are its size. */
static inline u64 tea_pages(const struct tea *t)
{
	return (t->end - t->start) / tea_unit(t->size);
}

struct tea_list {
	struct tea *t; /* ascending */
	size_t n, room;
};

/* TEAs of a process, by the size of their pages, and its registers. */
struct teas {
	enum pages pages;
	struct tea_list list[SIZE_2M + 1];
	struct tea reg[TEA_REGISTERS];
	size_t regs;
};

int tea_area_init(struct tea_area *a, u64 base, u64 bytes);
void tea_area_free(struct tea_area *a);
void teas_free(struct teas *s);

/* What an update did. */
struct tea_work {
	u64 allocated; /* table pages, new ones */
	u64 moved;     /* table pages that have another place now */
	u64 calls;     /* TEAs that are new or grew: hypercalls of pvDMT */
};

/* Makes TEAs of @size for @vmas as they are now. */
int teas_update(struct teas *s, enum page_size size, const struct vmas *vmas,
		struct tea_area *area, struct tea_work *work);

/* Loads the largest into the first @n registers; true if that changed any. */
bool teas_load(struct teas *s, size_t n);

/* The TEA of that number, as the gTEA table has it; NULL if there is none. */
const struct tea *teas_gtea(const struct teas *s, u32 gtea);
