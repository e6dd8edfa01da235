/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/boot/memmap.h"

static bool overlap(const struct mem_range *r, u64 start, u64 end)
{
	return r->start < end && start < r->end;
}

static void delete_range(struct mem_map *m, size_t at)
{
	m->n--;
	for (; at < m->n; at++)
		m->range[at] = m->range[at + 1];
}

static int insert_range(struct mem_map *m, size_t at, struct mem_range r)
{
	if (m->n == MEM_RANGES)
		return -1;
	for (size_t i = m->n++; i > at; i--)
		m->range[i] = m->range[i - 1];
	m->range[at] = r;
	return 0;
}

int memmap_cut(struct mem_map *m, u64 start, u64 end)
{
	if (start >= end)
		return 0;
	for (size_t i = 0; i < m->n;) {
		struct mem_range *r = &m->range[i];
		struct mem_range rest = {end, r->end, r->type};

		if (!overlap(r, start, end)) {
			i++;
		} else if (r->start < start) {
			r->end = start;
			i++;
			if (rest.end > end && insert_range(m, i, rest) < 0)
				return -1;
		} else if (r->end > end) {
			r->start = end;
		} else {
			delete_range(m, i);
		}
	}
	return 0;
}

/* Joins the range at @at + 1 with the one before it if it continues it. */
static void join(struct mem_map *m, size_t at)
{
	struct mem_range *r = &m->range[at];

	if (at + 1 < m->n && r[0].end == r[1].start && r[0].type == r[1].type) {
		r[0].end = r[1].end;
		delete_range(m, at + 1);
	}
}

int memmap_set(struct mem_map *m, u64 start, u64 end, u32 type)
{
	size_t at = 0;

	if (start >= end)
		return 0;
	if (memmap_cut(m, start, end) < 0)
		return -1;
	while (at < m->n && m->range[at].start < start)
		at++;
	if (insert_range(m, at, (struct mem_range){start, end, type}) < 0)
		return -1;
	join(m, at);
	if (at)
		join(m, at - 1);
	return 0;
}

/* The first range of a higher type that reaches into [start, end). */
static const struct mem_range *stronger(const struct mem_map *m, u64 start,
					u64 end, u32 type)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->range[i].type > type &&
		    overlap(&m->range[i], start, end))
			return &m->range[i];
	return NULL;
}

int memmap_add(struct mem_map *m, u64 start, u64 end, u32 type)
{
	while (start < end) {
		const struct mem_range *r = stronger(m, start, end, type);
		u64 next = r ? r->end : end;

		if (memmap_set(m, start, r ? r->start : end, type) < 0)
			return -1;
		start = next;
	}
	return 0;
}

int memmap_reserve(struct mem_map *m, u64 start, u64 end)
{
	return memmap_set(m, start, end, MEM_RESERVED);
}

bool memmap_is_ram(const struct mem_map *m, u64 start, u64 end)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->range[i];

		/* RAM that touches RAM is one range. */
		if (r->type == MEM_RAM && r->start <= start && end <= r->end)
			return start < end;
	}
	return false;
}

static const struct mem_range *conflict(const struct mem_want *w, u64 start)
{
	for (size_t i = 0; i < w->n_busy; i++)
		if (overlap(&w->busy[i], start, start + w->size))
			return &w->busy[i];
	return NULL;
}

/* The highest place in [start, end), which is RAM. */
static u64 high_in(const struct mem_want *w, u64 start, u64 end)
{
	while (end >= w->size && end - w->size >= start) {
		u64 at = (end - w->size) & ~(w->align - 1);
		const struct mem_range *r;

		if (at < start)
			break;
		r = conflict(w, at);
		if (!r)
			return at;
		end = r->start;
	}
	return MEM_NONE;
}

static u64 low_in(const struct mem_want *w, u64 start, u64 end)
{
	while (start <= end && end - start >= w->size) {
		u64 at = (start + w->align - 1) & ~(w->align - 1);
		const struct mem_range *r;

		if (at < start || at > end || end - at < w->size)
			break;
		r = conflict(w, at);
		if (!r)
			return at;
		start = r->end;
	}
	return MEM_NONE;
}

static u64 clipped_start(const struct mem_range *r, const struct mem_want *w)
{
	return r->start > w->min ? r->start : w->min;
}

static u64 clipped_end(const struct mem_range *r, const struct mem_want *w)
{
	return r->end < w->max ? r->end : w->max;
}

u64 memmap_find_high(const struct mem_map *m, const struct mem_want *w)
{
	for (size_t i = m->n; i-- > 0;) {
		const struct mem_range *r = &m->range[i];
		u64 at = MEM_NONE;

		if (r->type == MEM_RAM)
			at = high_in(w, clipped_start(r, w), clipped_end(r, w));
		if (at != MEM_NONE)
			return at;
	}
	return MEM_NONE;
}

u64 memmap_find_low(const struct mem_map *m, const struct mem_want *w)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->range[i];
		u64 at = MEM_NONE;

		if (r->type == MEM_RAM)
			at = low_in(w, clipped_start(r, w), clipped_end(r, w));
		if (at != MEM_NONE)
			return at;
	}
	return MEM_NONE;
}

u64 memmap_ram_end(const struct mem_map *m, u64 at)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->range[i];

		if (r->type == MEM_RAM && r->start <= at && at < r->end)
			return r->end;
	}
	return at;
}

u64 memmap_ram(const struct mem_map *m)
{
	u64 sum = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->range[i].type == MEM_RAM)
			sum += m->range[i].end - m->range[i].start;
	return sum;
}

int memmap_e820(const struct mem_map *m, struct e820_entry *to, size_t max)
{
	if (m->n > max)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		to[i].start = m->range[i].start;
		to[i].size = m->range[i].end - m->range[i].start;
		to[i].type = m->range[i].type;
	}
	return (int)m->n;
}
