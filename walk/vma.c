/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/vma.h"

#include <stdlib.h>
#include <string.h>

/* An operation adds at most two: both ends of its range fall into one VMA. */
#define SPARE 2

void vmas_free(struct vmas *s)
{
	free(s->v);
	*s = (struct vmas){0};
}

size_t vmas_index(const struct vmas *s, u64 at)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->v[middle].end > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct vma *vmas_find(const struct vmas *s, u64 at)
{
	size_t i = vmas_index(s, at);

	return i < s->n && s->v[i].start <= at ? &s->v[i] : NULL;
}

bool vmas_overlap(const struct vmas *s, u64 start, u64 end)
{
	size_t i = vmas_index(s, start);

	return i < s->n && s->v[i].start < end;
}

static int make_room(struct vmas *s, size_t n)
{
	size_t room = s->room ? s->room : 16;
	struct vma *v;

	if (s->n + n <= s->room)
		return 0;
	while (room < s->n + n)
		room *= 2;
	v = realloc(s->v, room * sizeof(*v));
	if (!v)
		return -1;
	s->v = v;
	s->room = room;
	return 0;
}

static void insert(struct vmas *s, size_t i, const struct vma *new)
{
	memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*new));
	s->v[i] = *new;
	s->n++;
}

static void erase(struct vmas *s, size_t i, size_t n)
{
	memmove(&s->v[i], &s->v[i + n], (s->n - i - n) * sizeof(*s->v));
	s->n -= n;
}

/* Makes @at the end of a VMA if it is inside one; returns the index of what
 * begins there or behind. */
static size_t split(struct vmas *s, u64 at)
{
	size_t i = vmas_index(s, at);
	struct vma tail;

	if (i == s->n || s->v[i].start >= at)
		return i;
	tail = s->v[i];
	tail.start = at;
	s->v[i].end = at;
	insert(s, i + 1, &tail);
	return i + 1;
}

static bool alike(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->prot == b->prot &&
	       a->object == b->object && a->huge == b->huge &&
	       a->not_fork == b->not_fork;
}

/* Joins what can be joined at the borders of VMAs @first - 1 to @last + 1. */
static void join(struct vmas *s, size_t first, size_t last)
{
	size_t i = first ? first - 1 : 0;

	for (; i + 1 < s->n && i <= last;) {
		if (!alike(&s->v[i], &s->v[i + 1])) {
			i++;
			continue;
		}
		s->v[i].end = s->v[i + 1].end;
		erase(s, i + 1, 1);
		last -= last > 0;
	}
}

/* What lies between the two is whole VMAs then, from *first to before *last. */
static int split_range(struct vmas *s, u64 start, u64 end, size_t *first,
		       size_t *last)
{
	*first = *last = 0;
	if (make_room(s, SPARE) < 0)
		return -1;
	if (start >= end)
		return 0;
	*first = split(s, start);
	*last = split(s, end);
	return 0;
}

int vmas_cut(struct vmas *s, u64 start, u64 end)
{
	size_t first, last;

	if (split_range(s, start, end, &first, &last) < 0)
		return -1;
	erase(s, first, last - first);
	return 0;
}

int vmas_put(struct vmas *s, const struct vma *new)
{
	size_t i;

	if (make_room(s, SPARE + 1) < 0)
		return -1;
	if (new->start >= new->end)
		return 0;
	(void)vmas_cut(s, new->start, new->end); /* there is room */
	i = vmas_index(s, new->start);
	insert(s, i, new);
	join(s, i, i);
	return 0;
}

int vmas_change(struct vmas *s, u64 start, u64 end,
		void (*change)(struct vma *v, u32 arg), u32 arg)
{
	size_t first, last;

	if (split_range(s, start, end, &first, &last) < 0)
		return -1;
	for (size_t i = first; i < last; i++)
		change(&s->v[i], arg);
	join(s, first, last);
	return 0;
}

int vmas_fork(struct vmas *to, const struct vmas *from)
{
	if (make_room(to, from->n) < 0)
		return -1;
	for (size_t i = 0; i < from->n; i++)
		if (!from->v[i].not_fork)
			to->v[to->n++] = from->v[i];
	return 0;
}
