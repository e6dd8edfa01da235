/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the modules that parse what the loader or the firmware left in memory
 * read it: through a callback, so that host tests can give them any memory.
 * The hypervisor's callback adds an offset, a test's looks into an array.
 *
 * These modules take nothing they read for granted. On bad input they return
 * a negative number and point *why at a constant text of one line.
 */
#pragma once

#include "lib/types.h"

struct phys {
	/*
	 * Where the CPU can read @len bytes that start at @pa; NULL if that is
	 * not possible for all of them. Valid as long as the struct is used.
	 */
	const void *(*map)(void *ctx, u64 pa, u64 len);
	void *ctx;

	/* Below @direct_end it is at @direct, without asking. May be 0. */
	const u8 *direct;
	u64 direct_end;
};

static inline const void *phys_map(const struct phys *p, u64 pa, u64 len)
{
	if (pa < p->direct_end && len <= p->direct_end - pa)
		return p->direct + pa;
	return p->map(p->ctx, pa, len);
}

static inline int refuse(const char **why, const char *reason)
{
	*why = reason;
	return -1;
}
