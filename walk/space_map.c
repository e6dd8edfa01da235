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

static void add_tables(struct faults *f, unsigned dim, u64 in, unsigned lowest)
{
	struct dim *d = &f->s->d[dim];

	for (unsigned level = d->levels; level >= lowest; level--) {
		if (!dim_add_table(d, in, level))
			continue;
		push(f, dim + 1,
		     dim_table_at(d, level, dim_table(d, in, level)),
		     1ull << PAGE_SHIFT);
		space_tell(f->tell, &(struct space_change){.what = SPACE_TABLE,
							   .dim = dim,
							   .in = in,
							   .level = level + 1});
	}
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

static void map_page(struct faults *f, unsigned dim, u64 in,
		     enum page_size size, enum space_what what)
{
	struct dim *d = &f->s->d[dim];
	u64 bytes = 1ull << size_shift(size);

	in &= ~(bytes - 1);
	add_tables(f, dim, in, size + 1);
	dim_add_page(d, in, size);
	push(f, dim + 1, dim_out(d, in), bytes);
	space_tell(f->tell, &(struct space_change){.what = what,
						   .dim = dim,
						   .in = in,
						   .size = size,
						   .level = size + 1});
}

/* Whatever the dimensions below have to map. */
static void map_lower(struct faults *f)
{
	while (f->n) {
		struct work *w = &f->work[f->n - 1];
		unsigned dim = w->dim;
		const struct dim *d = &f->s->d[dim];
		u64 at = w->from;

		w->from = (at | ((1ull << size_shift(d->size)) - 1)) + 1;
		if (w->from >= w->to)
			f->n--;
		if (!dim_mapped(d, at))
			map_page(f, dim, at, d->size, SPACE_MAPPED);
	}
}

int space_map(struct space *s, va_t va, const struct space_tell *tell)
{
	struct faults f = {.s = s, .tell = tell};
	enum page_size size = s->d[0].size;

	if (s->regions < s->keys->used)
		add_regions(s);
	if (s->d[0].mixed && huge_fits(s, va.v))
		size = SIZE_2M;
	map_page(&f, 0, va.v, size, SPACE_MAPPED);
	map_lower(&f);
	return 0;
}

void space_arrive(struct space *s, va_t va, enum page_size size,
		  const struct space_tell *tell)
{
	struct faults f = {.s = s, .tell = tell};

	if (s->regions < s->keys->used)
		add_regions(s);
	map_page(&f, 0, va.v, size, SPACE_WRITTEN);
	f.tell = NULL; /* the frames are those that the page had */
	map_lower(&f);
}

void space_split(struct space *s, va_t va, const struct space_tell *tell)
{
	struct faults f = {.s = s, .tell = tell};
	u64 chunk = va.v >> CHUNK_SHIFT << CHUNK_SHIFT;

	dim_drop_page(&s->d[0], chunk, SIZE_2M);
	space_tell(tell, &(struct space_change){.what = SPACE_UNMAPPED,
						.in = chunk,
						.size = SIZE_2M,
						.level = 2});
	add_tables(&f, 0, chunk, 1);
	for (u64 i = 0; i < 512; i++)
		dim_add_page(&s->d[0], chunk + (i << PAGE_SHIFT), SIZE_4K);
	map_lower(&f);
}
