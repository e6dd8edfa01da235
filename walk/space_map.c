/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults: a page that becomes mapped in one dimension, and each table page that
 * this takes, are memory that has to be mapped in the dimension below.
 */
#include "walk/space_inline.h"

/* Memory of dimension @dim's input space that is to be mapped. */
struct work {
	unsigned dim;
	u64 from, to;
};

/* A dimension leaves at most its page and a table per level above it undone. */
#define WORK ((TABLE_LEVELS + 1) * DIMS)

struct faults {
	struct space *s;
	const struct space_tell *tell;
	struct work work[WORK];
	unsigned n;
};

static void push(struct faults *f, unsigned dim, u64 from, u64 bytes)
{
	if (dim < f->s->dims)
		f->work[f->n++] = (struct work){dim, from, from + bytes};
}

static int add_tables(struct faults *f, unsigned dim, u64 in, unsigned lowest)
{
	struct dim *d = &f->s->d[dim];

	for (unsigned level = d->levels; level >= lowest; level--) {
		int new = dim_add_table(d, in, level);

		if (new < 0)
			return -1;
		if (!new)
			continue;
		push(f, dim + 1,
		     dim_table_at(d, level, dim_table(d, in, level)),
		     1ull << PAGE_SHIFT);
		space_tell(f->tell, &(struct space_change){.what = SPACE_TABLE,
							   .dim = dim,
							   .in = in,
							   .level = level + 1});
	}
	return 0;
}

/* The number of @region's table of @level: that of an earlier region below the
 * same table, or its own. */
static u32 upper_table(const struct space *s, unsigned region, unsigned level)
{
	const u64 *owner = s->keys->owner; /* process << 48 | region */
	unsigned shift = PAGE_SHIFT + 9 * level - REGION_SHIFT;
	u64 process = owner[region] >> 48;
	u64 subtree = owner[region] << 16 >> 16 >> shift;

	for (unsigned r = 0; r < region; r++)
		if (owner[r] >> 48 == process &&
		    owner[r] << 16 >> 16 >> shift == subtree)
			return s->upper[r].table[level];
	return region;
}

/* The tables above regions that got a number since the last time. */
static void add_regions(struct space *s)
{
	for (unsigned r = s->regions; r < s->keys->used; r++) {
		u64 base = s->keys->owner[r] << 16 >> 16 << REGION_SHIFT;

		for (unsigned level = 3; level <= TABLE_LEVELS; level++) {
			unsigned shift = PAGE_SHIFT + 9 * (level - 1);

			s->upper[r].table[level] = upper_table(s, r, level);
			s->upper[r].index[level] = base >> shift & 511;
		}
	}
	s->regions = s->keys->used;
}

/* Transparent huge pages: at the first fault in a chunk that private anonymous
 * memory covers. */
static bool huge_fits(const struct space *s, u64 key)
{
	u64 at = key_address(s->keys, (va_t){key});
	const struct process *p = s->process[key_process(s->keys, (va_t){key})];
	u64 chunk = at >> CHUNK_SHIFT << CHUNK_SHIFT;
	const struct vma *v = p ? vmas_find(&p->vmas, at) : NULL;

	return v && !v->object && v->huge != VMA_NO_HUGE && v->start <= chunk &&
	       chunk + (1ull << CHUNK_SHIFT) <= v->end &&
	       !bit_get(s->d[0].table[1], key >> CHUNK_SHIFT);
}

static void tell_page(const struct faults *f, enum space_what what,
		      unsigned dim, u64 in, enum page_size size)
{
	space_tell(f->tell, &(struct space_change){.what = what,
						   .dim = dim,
						   .in = in,
						   .size = size,
						   .level = size + 1});
}

static int map_page(struct faults *f, unsigned dim, u64 in, enum page_size size)
{
	struct dim *d = &f->s->d[dim];
	u64 bytes = 1ull << size_shift(size);

	in &= ~(bytes - 1);
	if (dim_add_page(d, in, size) < 0 ||
	    add_tables(f, dim, in, size + 1) < 0)
		return -1;
	push(f, dim + 1, dim_out(d, in), bytes);
	tell_page(f, SPACE_MAPPED, dim, in, size);
	return 0;
}

/* Whatever the dimensions below have to map. */
static int map_lower(struct faults *f)
{
	while (f->n) {
		struct work *w = &f->work[f->n - 1];
		unsigned dim = w->dim;
		const struct dim *d = &f->s->d[dim];
		u64 at = w->from;

		w->from = (at | ((1ull << size_shift(d->size)) - 1)) + 1;
		if (w->from >= w->to)
			f->n--;
		if (!dim_mapped(d, at) && map_page(f, dim, at, d->size) < 0)
			return -1;
	}
	return 0;
}

int space_map(struct space *s, va_t va, const struct space_tell *tell)
{
	struct faults f = {.s = s, .tell = tell};
	enum page_size size = s->d[0].size;

	if (s->regions < s->keys->used)
		add_regions(s);
	if (s->d[0].mixed && huge_fits(s, va.v))
		size = SIZE_2M;
	if (map_page(&f, 0, va.v, size) < 0 &&
	    (!s->d[0].mixed || map_page(&f, 0, va.v, SIZE_4K) < 0))
		return -1;
	return map_lower(&f);
}

int space_back(struct space *s, unsigned dim, u64 from, u64 bytes,
	       const struct space_tell *tell)
{
	struct faults f = {.s = s, .tell = tell};

	push(&f, dim, from, bytes);
	return map_lower(&f);
}

/* The frames are those that the page had: nobody faults. */
int space_bring(struct space *s, u64 from, u64 to, enum page_size size,
		const struct space_tell *tell)
{
	struct faults f = {.s = s, .tell = tell};

	if (s->regions < s->keys->used)
		add_regions(s);
	tell_page(&f, SPACE_UNMAPPED, 0, from, size);
	if (dim_move_page(&s->d[0], from, to, size) < 0 ||
	    add_tables(&f, 0, to, size + 1) < 0)
		return -1;
	tell_page(&f, SPACE_WRITTEN, 0, to, size);
	if (map_lower(&f) < 0)
		return -1;
	push(&f, 1, dim_out(&s->d[0], to), 1ull << size_shift(size));
	f.tell = NULL;
	return map_lower(&f);
}

int space_split(struct space *s, va_t va, const struct space_tell *tell)
{
	struct faults f = {.s = s, .tell = tell};
	u64 chunk = va.v >> CHUNK_SHIFT << CHUNK_SHIFT;

	tell_page(&f, SPACE_UNMAPPED, 0, chunk, SIZE_2M);
	if (dim_split_page(&s->d[0], chunk) < 0 ||
	    add_tables(&f, 0, chunk, 1) < 0)
		return -1;
	return map_lower(&f);
}
