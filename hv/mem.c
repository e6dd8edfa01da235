/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/mem.h"

#include "hv/panic.h"
#include "lib/string.h"

static struct {
	u64 next, end;
} pool;

void mem_init(u64 start, u64 end)
{
	pool.next = start;
	pool.end = end;
}

void *mem_pages_raw(size_t n, u64 align)
{
	u64 at = (pool.next + align - 1) & ~(align - 1);
	u64 size = (u64)n * PAGE_SIZE;

	if (at + size > pool.end)
		panic("out of memory: %lu pages (option mem=)", n);
	pool.next = at + size;
	return phys_to_virt(at);
}

void *mem_pages(size_t n, u64 align)
{
	return memset(mem_pages_raw(n, align), 0, n * PAGE_SIZE);
}

u64 mem_free_pages(void)
{
	return (pool.end - pool.next) / PAGE_SIZE;
}
