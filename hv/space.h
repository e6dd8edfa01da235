/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1's physical address space, NPT01: the machine's, one to one, by the largest
 * pages, without L0's block. Built once, before any guest runs.
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

/* Where L0 finds [@pa, @pa + @len) of L1's memory; NULL: it is L0's own or
 * trapped. */
void *space_writable(u64 pa, u64 len);

/* What L1 can read at its own physical addresses. */
extern struct phys space_l1;
