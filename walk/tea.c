/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/tea.h"

#include <stdlib.h>
#include <string.h>

#define BUBBLES 50 /* one byte in so many may be none of a VMA's */

/* Contiguous memory *********************************************************/

int tea_area_init(struct tea_area *a, u64 base, u64 bytes)
{
	*a = (struct tea_area){.base = base, .pages = bytes >> PAGE_SHIFT};
	a->used = bits_new(a->pages);
	return a->used ? 0 : -1;
}

void tea_area_free(struct tea_area *a)
{
	bits_free(a->used, a->pages);
	*a = (struct tea_area){0};
}

/* Takes pages @first to @end if all are free. */
static bool area_take(struct tea_area *a, u64 first, u64 end)
{
	if (end > a->pages || bits_find(a->used, first, end, true) != end)
		return false;
	bits_fill(a->used, first, end, true);
	a->in_use += end - first;
	a->high = end > a->high ? end : a->high;
	return true;
}

/* The lowest free place for @n pages; false if there is none. */
static bool area_find(struct tea_area *a, u64 n, u64 *first)
{
	u64 at = 0, next;

	while (at < a->high) {
		next = bits_find(a->used, at,
				 at + n < a->high ? at + n : a->high, true);
		if (next == a->high || next >= at + n)
			break;
		at = bits_find(a->used, next, a->high, false);
	}
	*first = at;
	return area_take(a, at, at + n);
}

static void area_give(struct tea_area *a, u64 first, u64 end)
{
	bits_fill(a->used, first, end, false);
	a->in_use -= end - first;
}

/* Clusters *****************************************************************/

static int list_add(struct tea_list *l, const struct tea *t)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct tea *grown = realloc(l->t, room * sizeof(*grown));

		if (!grown)
			return -1;
		l->t = grown;
		l->room = room;
	}
	l->t[l->n++] = *t;
	return 0;
}

/* A cluster that grows; its bubbles are kept where its base will be. */
static bool may_merge(const struct tea *a, const struct tea *b)
{
	u64 unit = tea_unit(a->size);
	u64 bubbles = a->base + b->base + b->start - a->end;

	return bubbles <= (b->end - a->start) / BUBBLES ||
	       (a->end - 1) / unit == b->start / unit;
}

/* One pass over neighbours; true if it merged any. */
static bool merge_pass(struct tea_list *l)
{
	size_t n = 0;

	if (!l->n)
		return false;
	for (size_t i = 1; i < l->n; i++) {
		struct tea *last = &l->t[n], *next = &l->t[i];

		if (may_merge(last, next)) {
			last->base += next->base + next->start - last->end;
			last->end = next->end;
		} else {
			l->t[++n] = *next;
		}
	}
	n++;
	if (n == l->n)
		return false;
	l->n = n;
	return true;
}

static int add_piece(struct tea_list *l, enum page_size size, u64 start,
		     u64 end)
{
	struct tea t = {.start = start, .end = end, .size = size};

	return start < end ? list_add(l, &t) : 0;
}

/* What of @v transparent large pages can cover; false if nothing. */
static bool large_part(const struct vma *v, u64 *start, u64 *end)
{
	u64 mask = (1ull << size_shift(SIZE_2M)) - 1;

	*start = (v->start + mask) & ~mask;
	*end = v->end & ~mask;
	return !v->object && v->huge != VMA_NO_HUGE && *start < *end;
}

static int add_vma(struct tea_list *l, enum page_size size, const struct vma *v,
		   enum pages pages)
{
	u64 start, end;

	if (!v->prot) /* what nobody may access has no entries */
		return 0;
	if (pages != PAGES_THP)
		return add_piece(l, size, v->start, v->end);
	if (!large_part(v, &start, &end))
		return size == SIZE_2M ? 0
				       : add_piece(l, size, v->start, v->end);
	if (size == SIZE_2M)
		return add_piece(l, size, start, end);
	if (add_piece(l, size, v->start, start) < 0)
		return -1;
	return add_piece(l, size, end, v->end);
}

static int make_clusters(struct tea_list *l, enum page_size size,
			 const struct vmas *vmas, enum pages pages)
{
	u64 mask = tea_unit(size) - 1;

	for (size_t i = 0; i < vmas->n; i++)
		if (add_vma(l, size, &vmas->v[i], pages) < 0)
			return -1;
	while (merge_pass(l))
		;
	for (size_t i = 0; i < l->n; i++) {
		struct tea *t = &l->t[i];

		*t = (struct tea){.start = t->start & ~mask,
				  .end = (t->end + mask) & ~mask,
				  .gtea = (u32)i << 1 | size,
				  .size = size};
	}
	return 0;
}

/* Placing ******************************************************************/

static u64 first_page(const struct tea_area *a, const struct tea *t)
{
	return (t->base - a->base) >> PAGE_SHIFT;
}

static void give_back(struct tea_area *a, const struct tea *t)
{
	u64 first = first_page(a, t);

	area_give(a, first, first + tea_pages(t));
}

/* Table pages that both cover. */
static u64 common(const struct tea *a, const struct tea *b)
{
	u64 start = a->start > b->start ? a->start : b->start;
	u64 end = a->end < b->end ? a->end : b->end;

	return start < end ? (end - start) / tea_unit(a->size) : 0;
}

/* The old TEA that has most of @t, or NULL; @all is what they have together. */
static const struct tea *find_donor(const struct tea_list *old,
				    const struct tea *t, u64 *all)
{
	const struct tea *best = NULL;

	*all = 0;
	for (size_t i = 0; i < old->n; i++) {
		u64 n = old->t[i].present ? common(&old->t[i], t) : 0;

		*all += n;
		if (n && (!best || n > common(best, t)))
			best = &old->t[i];
	}
	return best;
}

/* Pages of an area. */
struct extent {
	u64 first, end;
};

/* Where @t would begin if it stayed with @donor: pages, < 0 is no place. */
static long long home(const struct tea_area *a, const struct tea *t,
		      const struct tea *donor)
{
	long long ahead = (long long)(t->start / tea_unit(t->size)) -
			  (long long)(donor->start / tea_unit(t->size));

	return (long long)first_page(a, donor) + ahead;
}

/* The part of @t that it takes over from @donor, in place. */
static struct extent inherited(const struct tea_area *a, const struct tea *t,
			       const struct tea *donor)
{
	u64 start = t->start > donor->start ? t->start : donor->start;
	u64 skip = (start - donor->start) / tea_unit(t->size);
	u64 first = first_page(a, donor) + skip;

	return (struct extent){first, first + common(t, donor)};
}

/* Lets @t, which has its inheritance @own, have the rest around it. */
static bool extend(struct tea_area *a, const struct tea *t, long long at,
		   struct extent own)
{
	u64 first = (u64)at, end = first + tea_pages(t);

	if (at < 0)
		return false;
	if (!area_take(a, first, own.first))
		return false;
	if (area_take(a, own.end, end))
		return true;
	area_give(a, first, own.first);
	return false;
}

static void place(struct tea_area *a, struct tea *t, const struct tea *donor,
		  u64 had, struct tea_work *work)
{
	struct extent own = {0, 0};
	u64 at;

	if (donor)
		own = inherited(a, t, donor);
	work->calls += had < tea_pages(t);
	work->allocated += tea_pages(t) - had;
	t->present = true;
	if (donor && extend(a, t, home(a, t, donor), own)) {
		work->moved += had - (own.end - own.first);
		t->base = a->base + ((u64)home(a, t, donor) << PAGE_SHIFT);
		return;
	}
	t->present = area_find(a, tea_pages(t), &at);
	area_give(a, own.first, own.end);
	if (!t->present) {
		work->allocated -= tea_pages(t) - had;
		return;
	}
	work->calls += had == tea_pages(t);
	work->moved += had;
	t->base = a->base + (at << PAGE_SHIFT);
}

/* First all keep what they can keep, so that nobody's growth takes it. */
static void place_all(struct tea_area *a, struct tea_list *new,
		      const struct tea_list *old, struct tea_work *work)
{
	const struct tea *donor;
	struct extent own;
	u64 had;

	for (size_t i = 0; i < old->n; i++)
		if (old->t[i].present)
			give_back(a, &old->t[i]);
	for (size_t i = 0; i < new->n; i++) {
		donor = find_donor(old, &new->t[i], &had);
		if (!donor)
			continue;
		own = inherited(a, &new->t[i], donor);
		(void)area_take(a, own.first, own.end); /* was its own */
	}
	for (size_t i = 0; i < new->n; i++) {
		donor = find_donor(old, &new->t[i], &had);
		place(a, &new->t[i], donor, had, work);
	}
}

static bool equal(const struct tea_list *a, const struct tea_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->t[i].start != b->t[i].start ||
		    a->t[i].end != b->t[i].end || !a->t[i].present)
			return false;
	return true;
}

int teas_update(struct teas *s, enum page_size size, const struct vmas *vmas,
		struct tea_area *area, struct tea_work *work)
{
	struct tea_list *old = &s->list[size], new = {0};

	if (make_clusters(&new, size, vmas, s->pages) < 0) {
		free(new.t);
		return -1;
	}
	if (equal(old, &new)) {
		free(new.t);
		return 0;
	}
	place_all(area, &new, old, work);
	free(old->t);
	*old = new;
	return 0;
}

/* Registers ****************************************************************/

static bool larger(const struct tea *a, const struct tea *b)
{
	u64 bytes_a = a->end - a->start, bytes_b = b->end - b->start;

	if (bytes_a != bytes_b)
		return bytes_a > bytes_b;
	if (a->start != b->start)
		return a->start < b->start;
	return a->size < b->size;
}

/* Keeps @reg, of *@n and at most @max, sorted. */
static void offer(struct tea *reg, size_t *n, size_t max, const struct tea *t)
{
	size_t i = *n;

	while (i > 0 && larger(t, &reg[i - 1]))
		i--;
	if (i >= max)
		return;
	*n += *n < max;
	memmove(&reg[i + 1], &reg[i], (*n - 1 - i) * sizeof(*reg));
	reg[i] = *t;
}

static bool same_register(const struct tea *a, const struct tea *b)
{
	return a->start == b->start && a->end == b->end && a->base == b->base &&
	       a->size == b->size && a->present == b->present &&
	       a->gtea == b->gtea;
}

bool teas_load(struct teas *s, size_t n)
{
	struct tea reg[TEA_REGISTERS];
	size_t regs = 0;
	bool changed;

	for (int size = SIZE_4K; size <= SIZE_2M; size++)
		for (size_t i = 0; i < s->list[size].n; i++)
			offer(reg, &regs, n, &s->list[size].t[i]);
	changed = regs != s->regs;
	for (size_t i = 0; i < regs && !changed; i++)
		changed = !same_register(&reg[i], &s->reg[i]);
	memcpy(s->reg, reg, regs * sizeof(*reg));
	s->regs = regs;
	return changed;
}

const struct tea *teas_gtea(const struct teas *s, u32 gtea)
{
	const struct tea_list *l = &s->list[gtea & 1];

	return gtea >> 1 < l->n ? &l->t[gtea >> 1] : NULL;
}

void teas_free(struct teas *s)
{
	for (int size = SIZE_4K; size <= SIZE_2M; size++)
		free(s->list[size].t);
	*s = (struct teas){0};
}
