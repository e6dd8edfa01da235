/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bound: a walk is one reference, to the leaf entry of a table that maps
 * virtual addresses straight to host memory. No scheme that keeps its entries
 * in memory, eight to a line, can read less.
 */
#include "walk/designs.h"
#include "walk/mmu.h"
#include "walk/space_inline.h"

static hpa_t leaf(struct mmu *m, va_t va)
{
	const struct dim *d = m->env == ENV_NATIVE ? space_dim(m->space, 0)
						   : space_shadow(m->space);

	return (hpa_t){dim_entry(d, va.v, 1 + dim_map(d, va.v).size)};
}

static u32 walk(struct mmu *m, va_t va)
{
	return mmu_ref(m, 0, leaf(m, va));
}

static void ahead(struct mmu *m, va_t va)
{
	mmu_ahead(m, leaf(m, va));
}

static const char *const one_step[] = {"leaf", NULL};

const struct design design_one_ref = {
	.name = "one-ref",
	.summary = "bound: a walk is one reference",
	.paper = "none",
	.steps = {one_step, one_step, one_step},
	.walk = walk,
	.ahead = ahead,
};
