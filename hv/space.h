/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1's physical address space, NPT01: the machine's, one to one, by the largest
 * pages, without L0's block. Built once, before any guest runs; but single
 * entries can be had then, to split what they map and to follow its dirty bit.
 */
#pragma once

#include "lib/phys.h"

/* Bytes of physical address space that this CPU has, at most 256 TiB / 2. */
u64 space_size(void);

/* Builds NPT01 without [@start, @end), L0's block: as where no memory is. */
void space_build(u64 start, u64 end);

/* What space_build() got. */
void space_block(u64 *start, u64 *end);

/* Its root. */
u64 space_root(void);

/* Page aligned: L1 reads what is there, its writes exit (hv/mmio.c). */
void space_trap_writes(u64 start, u64 size);

/* Page aligned: for L1 nothing is there. */
void space_hide(u64 start, u64 size);

/* Whether all of this is L1's, and L0 neither hides nor traps any of it. */
bool space_is_plain(u64 start, u64 size);

/* The entry that maps @pa, and its level: 0 is that of 4 KiB pages. All entries
 * of plain memory have their accessed and dirty bits set, until a caller takes
 * them away. */
u64 *space_entry(u64 pa, unsigned *level);

/* Maps what @entry, of a @level above 0, maps by @table, a zeroed page. Guests
 * may run; their TLBs may keep the large page until they are flushed. */
void space_split(u64 *entry, unsigned level, u64 *table);

/* Takes that back: @page is what @entry was. The table is free once no TLB
 * knows of it. */
void space_join(u64 *entry, u64 page);

/* What L1 can read at its own physical addresses. */
extern struct phys space_l1;

/* Where L0 finds [@pa, @pa + @len) of L1's memory; NULL: it is L0's own or
 * trapped. */
static inline void *space_writable(u64 pa, u64 len)
{
	return (void *)(u64)phys_map(&space_l1, pa, len);
}
