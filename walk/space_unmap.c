/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to pages that are mapped when VMAs change: they go, are written,
 * or move. Large pages that only partly take part are split.
 */
#include "walk/space_inline.h"

#define REGION_BYTES (1ull << REGION_SHIFT)
#define CHUNK_BYTES  (1ull << CHUNK_SHIFT)
#define PAGE_BYTES   (1ull << PAGE_SHIFT)

/* A walk over the pages of a range. */
struct visit {
	struct space *s;
	const struct vmas *vmas;
	const struct space_tell *tell;
	u64 start, end; /* of all */
	u64 pages;	/* found */
	u64 to;		/* where @start moves */
	int (*page)(struct visit *v, u64 key, enum page_size size);
};

static u64 at(const struct visit *v, u64 key)
{
	return key_address(v->s->keys, (va_t){key});
}

static int visit_page(struct visit *v, u64 key, enum page_size size)
{
	v->pages++;
	return v->page(v, key, size);
}

static int visit_small(struct visit *v, u64 key, u64 end)
{
	for (; key < end; key += PAGE_BYTES)
		if (bit_get(v->s->d[0].mapped[SIZE_4K], key >> PAGE_SHIFT) &&
		    visit_page(v, key, SIZE_4K) < 0)
			return -1;
	return 0;
}

/* Pages of [@key, @end), which lies in one chunk. */
static int visit_chunk(struct visit *v, u64 key, u64 end)
{
	const struct dim *d = &v->s->d[0];
	bool whole = end - key == CHUNK_BYTES;

	if (bit_get(d->mapped[SIZE_2M], key >> CHUNK_SHIFT)) {
		if (whole || !d->mixed)
			return visit_page(v, key, SIZE_2M);
		if (space_split(v->s, (va_t){key}, v->tell) < 0)
			return -1;
	}
	if (!bit_get(d->table[1], key >> CHUNK_SHIFT))
		return 0;
	return visit_small(v, key, end);
}

/* The keys of @region that stand for addresses of the range. */
static bool cut_region(const struct visit *v, u16 process, u64 region, u64 *key,
		       u64 *end)
{
	va_t first = {region << REGION_SHIFT};
	u64 base = key_address(v->s->keys, first);
	u64 from = v->start > base ? v->start - base : 0;
	u64 to = v->end - base < REGION_BYTES ? v->end - base : REGION_BYTES;

	if (key_process(v->s->keys, first) != process || v->end <= base ||
	    from >= to)
		return false;
	*key = first.v + from;
	*end = first.v + to;
	return true;
}

static int visit_all(struct visit *v, u16 process)
{
	u64 key, end;

	for (u64 r = 0; r < v->s->keys->used; r++) {
		if (!cut_region(v, process, r, &key, &end))
			continue;
		while (key < end) {
			u64 next = (key | (CHUNK_BYTES - 1)) + 1;

			next = next < end ? next : end;
			if (visit_chunk(v, key, next) < 0)
				return -1;
			key = next;
		}
	}
	return 0;
}

/* The OS drops from TLBs what it changed. */
static void flush(const struct visit *v)
{
	if (v->pages)
		space_tell(v->tell, &(struct space_change){.what = SPACE_FLUSH,
							   .count = v->pages});
}

static void tell_page(const struct visit *v, enum space_what what, u64 key,
		      enum page_size size)
{
	space_tell(v->tell, &(struct space_change){.what = what,
						   .in = key,
						   .size = size,
						   .level = size + 1});
}

static int drop(struct visit *v, u64 key, enum page_size size)
{
	u64 mask = (1ull << size_shift(size)) - 1;
	u64 page = at(v, key & ~mask);

	/* Everything in large pages: one may have several VMAs. */
	if ((page < v->start || page + mask >= v->end) &&
	    vmas_overlap(v->vmas, page, page + mask + 1)) {
		v->pages--;
		return 0;
	}
	dim_drop_page(&v->s->d[0], key, size);
	tell_page(v, SPACE_UNMAPPED, key & ~mask, size);
	return 0;
}

/* Whether the table of @level above @key is below no VMA. */
static bool table_idle(const struct visit *v, u64 key, unsigned level)
{
	unsigned shift = PAGE_SHIFT + 9 * level;
	u64 first = at(v, key) >> shift << shift;

	return !vmas_overlap(v->vmas, first, first + (1ull << shift));
}

/* As Linux's free_pgtables(): tables that no VMA needs are freed. */
static void drop_tables(struct visit *v, u16 process)
{
	struct dim *d = &v->s->d[0];
	u64 key, end;

	for (u64 r = 0; r < v->s->keys->used; r++) {
		if (!cut_region(v, process, r, &key, &end))
			continue;
		for (unsigned level = 1; level <= d->levels; level++) {
			unsigned shift = PAGE_SHIFT + 9 * level;
			u64 step = shift < REGION_SHIFT ? 1ull << shift
							: REGION_BYTES;

			for (u64 k = key & ~(step - 1); k < end; k += step)
				if (dim_has_table(d, k, level) &&
				    table_idle(v, k, level))
					dim_drop_table(d, k, level);
		}
	}
}

int space_unmap(struct space *s, u16 process, u64 start, u64 end,
		const struct space_tell *tell)
{
	struct visit v = {.s = s,
			  .vmas = &s->process[process]->vmas,
			  .tell = tell,
			  .start = start,
			  .end = end,
			  .page = drop};

	if (visit_all(&v, process) < 0)
		return -1;
	space_note_peak(s);
	drop_tables(&v, process);
	flush(&v);
	return 0;
}

static int rewrite(struct visit *v, u64 key, enum page_size size)
{
	tell_page(v, SPACE_WRITTEN, key, size);
	return 0;
}

int space_write(struct space *s, u16 process, u64 start, u64 end,
		const struct space_tell *tell)
{
	struct visit v = {.s = s,
			  .tell = tell,
			  .start = start,
			  .end = end,
			  .page = rewrite};

	if (visit_all(&v, process) < 0)
		return -1;
	flush(&v);
	return 0;
}

static int move_to(struct visit *v, u64 key, enum page_size size, u64 to)
{
	va_t new;

	if (keys_of(v->s->keys, key_process(v->s->keys, (va_t){key}), to,
		    &new) < 0)
		return -1;
	return space_bring(v->s, key, new.v, size, v->tell);
}

static int move(struct visit *v, u64 key, enum page_size size)
{
	u64 to = at(v, key) - v->start + v->to;

	if (size == SIZE_4K || !(to & (CHUNK_BYTES - 1)))
		return move_to(v, key, size, to);
	v->pages--;
	if (space_split(v->s, (va_t){key}, v->tell) < 0)
		return -1;
	return visit_small(v, key, key + CHUNK_BYTES);
}

int space_move(struct space *s, const struct space_range *from, u64 to,
	       const struct space_tell *tell)
{
	struct visit v = {.s = s,
			  .tell = tell,
			  .start = from->start,
			  .end = from->end,
			  .to = to,
			  .page = move};

	if (s->d[0].size == SIZE_2M)
		return 0;
	if (visit_all(&v, from->process) < 0)
		return -1;
	flush(&v);
	return 0;
}
