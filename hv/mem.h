/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's memory: the block it took from the machine. Pages come from one pool
 * whose free count is public, so that tests can see leaks. Zeroed.
 */
#pragma once

#include "hv/layout.h"
#include "lib/types.h"

/* Makes [@start, @end), physical, page aligned, the pool. */
void mem_init(u64 start, u64 end);

/* @n pages in a row aligned to @align bytes; panics if there are none: L0
 * allocates at boot only. */
void *mem_pages(size_t n, u64 align);

/* The same, and what is in them stays: to clear many takes a while. */
void *mem_pages_raw(size_t n, u64 align);

/* The pages for @n things of @size bytes. */
static inline void *mem_array(size_t n, size_t size)
{
	return mem_pages((n * size + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE);
}

u64 mem_free_pages(void);

static inline void *phys_to_virt(u64 pa)
{
	return (void *)(pa + DIRECT_MAP);
}

/* Of something in the direct map, as everything from mem_pages() is. */
static inline u64 virt_to_phys(const void *p)
{
	return (u64)p - DIRECT_MAP;
}
