/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/boot/plan.h"

static bool overlaps(const struct plan *p, const struct plan_segment *s)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_segment *o = &p->segment[i];

		if (s->dest < o->dest + o->mem_size &&
		    o->dest < s->dest + s->mem_size)
			return true;
	}
	return false;
}

int plan_add(struct plan *p, const struct plan_segment *s, u64 size,
	     const char **why)
{
	u64 end = s->dest + s->mem_size;

	if (s->file_size > s->mem_size)
		return refuse(why, "a segment has more bytes than memory");
	if (s->offset > size || s->file_size > size - s->offset)
		return refuse(why, "the image is cut off");
	if (end < s->dest)
		return refuse(why, "a segment reaches beyond all addresses");
	if (!s->mem_size)
		return 0;
	if (p->n == PLAN_SEGMENTS)
		return refuse(why, "the image has too many segments");
	if (overlaps(p, s))
		return refuse(why, "the image's segments overlap");
	if (!p->n || s->dest < p->low)
		p->low = s->dest;
	if (!p->n || end > p->high)
		p->high = end;
	p->segment[p->n++] = *s;
	return 0;
}

bool plan_has_entry(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_segment *s = &p->segment[i];

		if (p->entry >= s->dest && p->entry - s->dest < s->file_size)
			return true;
	}
	return false;
}

bool plan_in_place(const struct plan *p, u64 file)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->segment[i].dest != file + p->segment[i].offset)
			return false;
	return p->n;
}

bool plan_fits(const struct plan *p, const struct mem_map *map,
	       const struct mem_range *busy, size_t n_busy)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_segment *s = &p->segment[i];
		struct mem_want w = {
			.size = s->mem_size,
			.align = 1,
			.min = s->dest,
			.max = s->dest + s->mem_size,
			.busy = busy,
			.n_busy = n_busy,
		};

		if (memmap_find_low(map, &w) == MEM_NONE)
			return false;
	}
	return true;
}
