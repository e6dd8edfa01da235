/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine for tests of NPT02: L1's memory at fixed addresses, with NPT01 of
 * hv/space.c over it; L1, which writes to it as a CPU does, through a TLB; and
 * the CPU that walks NPT02. Physical addresses are pointers.
 */
#pragma once

#include "hv/nested/shadow.h"
#include "test/unit/unit.h"

#define RAM_START  0x40000000ull /* L1's, 32 MiB; then L0's block, as large */
#define RAM_PAGES  0x2000ull
#define BLOCK	   (RAM_START + RAM_PAGES * PAGE_SIZE)
#define BLOCK_END  (BLOCK + RAM_PAGES * PAGE_SIZE)
#define TRAPPED	   (BLOCK_END + 0xa05000) /* a page that L0 traps */
#define SPACE_BITS 36

/* The CPUs' view of L1's TLBs: pages whose entry they have as dirty. All of
 * them, after machine_new(): the worst case. */
struct machine {
	u64 next;	   /* of L0's free memory */
	struct phys space; /* as space_build() made it */
	bool dirty[RAM_PAGES];
	unsigned shoots;
};

extern struct machine machine;

/* With NPT01 as after boot, and @pages pages for NPT02. */
void machine_new(size_t pages);

/* L1 writes @value to its memory. */
void l1_write(u64 pa, u64 value);

/* What is there. */
static inline u64 *l1_at(u64 pa)
{
	return (u64 *)pa;
}

/* As a CPU whose TLB is empty: true, with *pa, if NPT02 allows the access. */
bool cpu_walk(u64 root, u64 l2pa, u64 access, u64 *pa);

/* The level at which NPT02 maps @l2pa; -1: not at all. */
int cpu_level(u64 root, u64 l2pa);
