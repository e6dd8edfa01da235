/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A piece of physical memory for tests of what reads through struct phys.
 * It is allocated at its exact size, so that the address sanitizer sees a
 * read beyond it.
 */
#pragma once

#include "lib/phys.h"
#include "test/unit/unit.h"

struct ram {
	u64 start;
	u64 size;
	u8 *bytes;
};

static inline const void *ram_map(void *ctx, u64 pa, u64 len)
{
	struct ram *r = ctx;

	if (pa < r->start || pa - r->start > r->size ||
	    len > r->size - (pa - r->start))
		return NULL;
	return r->bytes + (pa - r->start);
}

static inline struct phys ram_phys(struct ram *r)
{
	return (struct phys){.map = ram_map, .ctx = r};
}

static inline void ram_new(struct ram *r, u64 start, u64 size)
{
	*r = (struct ram){start, size, calloc(1, size)};
	assert_non_null(r->bytes);
}

static inline void ram_put(struct ram *r, u64 pa, const void *from, size_t n)
{
	assert_non_null(ram_map(r, pa, n));
	memcpy(r->bytes + (pa - r->start), from, n);
}

static inline void ram_put32(struct ram *r, u64 pa, u32 value)
{
	ram_put(r, pa, &value, sizeof(value));
}

static inline void ram_put64(struct ram *r, u64 pa, u64 value)
{
	ram_put(r, pa, &value, sizeof(value));
}

static inline void ram_text(struct ram *r, u64 pa, const char *text)
{
	ram_put(r, pa, text, strlen(text) + 1);
}
