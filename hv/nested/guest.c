/* SPDX-License-Identifier: Apache-2.0 */
/* L1's guest as the rest of L0 meets it: its memory, and its sudden end. */
#include "hv/nested/shadow.h"
#include "hv/nested/vmrun.h"
#include "hv/space.h"

/* @pa is what L1's guest calls physical; an access of @len is within a page.
 * The CPU was there just before, so rights are not asked. */
static const void *map_guest(void *ctx, u64 pa, u64 len)
{
	const struct vcpu *v = ctx;
	const struct nested *n = v->nested;

	if (n->pair->nested_paging &&
	    !npt12_translate(&space_l1, npt12_of(n), pa, false, &pa))
		return NULL;
	return phys_map(&space_l1, pa, len);
}

struct phys guest_memory(struct vcpu *v)
{
	return (struct phys){.map = map_guest, .ctx = v};
}

const struct phys *nested_memory(const struct vcpu *v)
{
	return &v->nested->memory;
}

void nested_abandon(struct vcpu *v)
{
	struct nested *n = v->nested;

	if (!n)
		return;
	if (v->level == 2)
		n->made_up++;
	v->backend = n->vmcb01;
	v->level = 1;
	v->map = 0;
	n->asids = 0;
	for (unsigned i = 0; i < PAIRS; i++)
		n->pairs[i].valid = false;
	n->vm_cr = n->hsave = 0;
}

/* The tables may have been thrown away meanwhile. */
void nested_flush(struct vcpu *v)
{
	struct nested *n = v->nested;
	struct tables *t;

	if (v->level == 1 || !n->pair->nested_paging)
		return;
	t = &n->pair->tables;
	t->generation = shadow_generation;
	t->root = shadow_root(&t->npt);
	n->vmcb02->control.ncr3 = t->root;
}

void nested_read_counts(const struct vcpu *v, struct nested_counts *to)
{
	const struct nested *n = v->nested;

	*to = (struct nested_counts){.level = v->level};
	if (!n)
		return;
	to->vmruns = n->vmruns;
	to->reflected = n->reflected;
	to->made_up = n->made_up;
}

void nested_read_tables(struct nested_tables *to)
{
	struct shadow_stats stats;

	*to = (struct nested_tables){0};
	if (!nested_is_offered())
		return;
	shadow_read_stats(&stats);
	*to = (struct nested_tables){
		.fills = stats.fills,
		.flushes = stats.flushes,
		.revalidated = stats.revalidated,
		.evictions = stats.evictions,
		.pages = stats.pages,
		.free_pages = stats.free_pages,
	};
}
