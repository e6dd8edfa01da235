/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One dimension: a function from input to output addresses, and where in the
 * output space the radix tables lie that a walker would read.
 *
 * The output space has one bit more than the input space. Its lower half has
 * the pages, its upper half is cut into eighths (enum area):
 *
 *   | pages                        | tables | TEAs | shadow ...       |
 *   0                         2^in_bits                        2^(in_bits+1)
 *
 * Under FRAMES_COMPUTED all of that is arithmetic. 2 MiB are contiguous, the
 * 512 chunks of 1 GiB are permuted, and the 1 GiB units of a region: memory
 * as dense as an idle machine's allocator would leave it, so that neighbours
 * share the lines of the tables below them. Table pages of a level are as
 * dense, and permuted one by one, since they are allocated one by one.
 *
 * Under FRAMES_BUDDY pages and tables are where walk/frames.h put them, all in
 * the lower half; only what is in use has an address then.
 *
 * A dimension can also be composed of others (vias > 0): what a shadow maps.
 *
 * Who calls it: walkers (dim_map(), dim_entry()), once per reference; the rest
 * is for walk/space.c. Read only but for the functions of dim.c.
 */
#pragma once

#include "lib/err.h"
#include "walk/addr.h"
#include "walk/bits.h"
#include "walk/frames.h"

#define DIMS	     3
#define CHUNK_SHIFT  21
#define REGION_UNITS (0xfull << 30) /* 1 GiB units of a region */

enum area {
	AREA_TABLES,	    /* radix tables */
	AREA_TEA,	    /* TEAs of this dimension */
	AREA_HOST_TEA,	    /* pvDMT: TEAs of dimensions above */
	AREA_SHADOW,	    /* tables of the shadow of all dimensions */
	AREA_NESTED_SHADOW, /* tables of the shadow of the lower two */
	AREA_DESIGN,	    /* whatever else a design needs: 2^(in_bits - 3) */
	AREAS = 8
};

/* Where an address is mapped to: output address and size of its page. */
struct mapping {
	u64 out;
	enum page_size size;
};

/* Of the tables above a region (levels 3 to 5) of virtual addresses: number of
 * the table, index in it of the region's first byte. Key bits do not tell. */
struct upper {
	u32 table[TABLE_LEVELS + 1];
	u32 index[TABLE_LEVELS + 1];
};

struct dim {
	u64 mul;  /* permutes chunks and table pages; odd */
	u64 flip; /* permutes 1 GiB units of regions */
	u64 table_base[TABLE_LEVELS + 1];
	enum page_size size; /* of all pages, unless `mixed` */
	bool mixed;	     /* chunks in mapped[SIZE_2M] are one page */
	unsigned in_bits, levels, vias;
	const struct dim *via[DIMS];
	struct frame_map *frames;     /* NULL: computed */
	const struct upper *upper;    /* by region; NULL: arithmetic does */
	u64 *mapped[SIZE_2M + 1];     /* bit maps: pages of that size in use */
	u64 *table[TABLE_LEVELS + 1]; /* bit maps: tables in use */
	u64 pages[SIZE_2M + 1], tables; /* how many of each */
};

/* Whether the page of @in is mapped. */
static inline bool dim_mapped(const struct dim *d, u64 in)
{
	if (d->size == SIZE_2M)
		return bit_get(d->mapped[SIZE_2M], in >> CHUNK_SHIFT);
	return bit_get(d->mapped[SIZE_4K], in >> PAGE_SHIFT) ||
	       (d->mixed && bit_get(d->mapped[SIZE_2M], in >> CHUNK_SHIFT));
}

/* Size of the page of @in; 4 KiB in a mixed dimension as long as nothing is
 * mapped there. */
static inline enum page_size dim_size(const struct dim *d, u64 in)
{
	if (!d->mixed)
		return d->size;
	return bit_get(d->mapped[SIZE_2M], in >> CHUNK_SHIFT);
}

/* Nine bits of @x are permuted by a multiplication, which all bits above take
 * part in by exclusive or: a bijection, at the cost of a few instructions. */
static inline u64 dim_permute(const struct dim *d, u64 x, unsigned shift)
{
	u64 field = 511ull << shift;
	u64 high = x >> shift << shift;

	return (x & ~field) | ((high * d->mul ^ high >> 9) & field);
}

/* Under FRAMES_BUDDY. */
u64 dim_frame(const struct dim *d, u64 in);

static inline u64 dim_out(const struct dim *d, u64 in)
{
	if (d->frames)
		return dim_frame(d, in);
	return dim_permute(d, in, CHUNK_SHIFT) ^ d->flip;
}

/* Number of the table of @level that translates @in. */
static inline u64 dim_table(const struct dim *d, u64 in, unsigned level)
{
	if (d->upper && level >= 3)
		/* cppcheck-suppress arrayIndexOutOfBoundsCond */
		return d->upper[in >> REGION_SHIFT].table[level];
	return in >> (PAGE_SHIFT + 9 * level);
}

static inline bool dim_has_table(const struct dim *d, u64 in, unsigned level)
{
	return bit_get(d->table[level], dim_table(d, in, level));
}

static inline u64 dim_index(const struct dim *d, u64 in, unsigned level)
{
	u64 index = in >> (PAGE_SHIFT + 9 * (level - 1)) & 511;

	if (!d->upper || level < 3)
		return index;
	if (level > 3)
		index = 0;
	/* cppcheck-suppress arrayIndexOutOfBoundsCond */
	return d->upper[in >> REGION_SHIFT].index[level] | (index & 15);
}

/* Where table @n of @level begins. */
static inline u64 dim_table_at(const struct dim *d, unsigned level, u64 n)
{
	if (d->frames)
		return frames_table(d->frames, level, n);
	return d->table_base[level] + (dim_permute(d, n, 0) << PAGE_SHIFT);
}

/* Where @in is mapped to, and by what size of page. */
static inline struct mapping dim_map(const struct dim *d, u64 in)
{
	struct mapping m = {in, PAGE_SIZES};

	if (!d->vias)
		return (struct mapping){dim_out(d, in), dim_size(d, in)};
	for (unsigned i = 0; i < d->vias; i++) {
		enum page_size size = dim_size(d->via[i], m.out);

		m.size = size < m.size ? size : m.size;
		m.out = dim_out(d->via[i], m.out);
	}
	return m;
}

/* The address, in @d's output space, of the entry of table level @level (1 =
 * page table, 2 = page directory, ... 5) that translates @in. */
static inline u64 dim_entry(const struct dim *d, u64 in, unsigned level)
{
	return dim_table_at(d, level, dim_table(d, in, level)) |
	       dim_index(d, in, level) << 3;
}

/* Its number among the entries of @level, whose low nine bits are its index.
 * Key bits would not do above level 3: regions far from each other share
 * them. */
static inline u64 dim_entry_number(const struct dim *d, u64 in, unsigned level)
{
	if (!d->upper || level < 3)
		return in >> (PAGE_SHIFT + 9 * (level - 1));
	return dim_table(d, in, level) << 9 | dim_index(d, in, level);
}

/* Where @area of @d begins, in its output space. */
static inline u64 dim_area(const struct dim *d, enum area area)
{
	return (1ull << d->in_bits) + ((u64)area << (d->in_bits - 3));
}

/* An ordinary dimension of @in_bits, its numbers drawn from *@seed. */
int dim_init(struct dim *d, unsigned in_bits, unsigned levels, u64 *seed,
	     struct err *err);
void dim_free(struct dim *d);

/* From now on frames are allocated; @sparse: its input are keys. */
int dim_allocate(struct dim *d, bool sparse, struct err *err);

/* A dimension made of @n others from @first on; its tables are in @area of the
 * last one. */
void dim_compose(struct dim *d, const struct dim *first, unsigned n,
		 enum area area);

/* Note a page, or a table, as in use: 1, or 0 if it was; < 0: no frame. */
int dim_add_page(struct dim *d, u64 in, enum page_size size);
int dim_add_table(struct dim *d, u64 in, unsigned level);

/* ... and as free. */
void dim_drop_page(struct dim *d, u64 in, enum page_size size);
void dim_drop_table(struct dim *d, u64 in, unsigned level);

/* The page of @from is at @to now, in its frame if frames are allocated. */
int dim_move_page(struct dim *d, u64 from, u64 to, enum page_size size);

/* The large page of @in becomes 512 small ones; the table for them is the
 * caller's. < 0: no memory. */
int dim_split_page(struct dim *d, u64 in);
