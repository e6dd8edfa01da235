/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/dim.h"

/* Bits for pages or tables of 2^@unit_shift bytes in 2^@in_bits. */
static u64 count_of(unsigned in_bits, unsigned unit_shift)
{
	return in_bits > unit_shift ? 1ull << (in_bits - unit_shift) : 1;
}

/* Numbers of tables of levels 3 up are those of struct upper: a region's own
 * number at most. */
static u64 tables_of(const struct dim *d, unsigned level)
{
	return count_of(d->in_bits,
			level < 3 ? PAGE_SHIFT + 9 * level : REGION_SHIFT);
}

/* splitmix64, by Steele, Lea and Flood. */
static u64 draw(u64 *seed)
{
	u64 x = *seed += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* The few tables of levels 5 to 2 stand before those of level 1, so that the
 * dimension below needs no tables of its own for each level. */
static void place_tables(struct dim *d, u64 base)
{
	u64 room = 1ull << (d->in_bits - 18); /* all tables of level 2 */

	d->table_base[5] = base;
	d->table_base[4] = base + room / 4;
	d->table_base[3] = base + room / 2;
	d->table_base[2] = base + room;
	d->table_base[1] = base + 2 * room;
}

int dim_init(struct dim *d, unsigned in_bits, unsigned levels, u64 *seed,
	     struct err *err)
{
	bool ok = true;

	*d = (struct dim){.in_bits = in_bits, .levels = levels};
	d->mul = draw(seed) | 1;
	d->flip = draw(seed) & REGION_UNITS;
	place_tables(d, dim_area(d, AREA_TABLES));
	for (unsigned i = SIZE_4K; i <= SIZE_2M; i++) {
		d->mapped[i] = bits_new(count_of(in_bits, size_shift(i)));
		ok &= d->mapped[i] != NULL;
	}
	for (unsigned i = 1; i <= TABLE_LEVELS; i++) {
		d->table[i] = bits_new(tables_of(d, i));
		ok &= d->table[i] != NULL;
	}
	if (ok)
		return 0;
	dim_free(d);
	return err_set(err, "no memory for the simulated page tables");
}

void dim_free(struct dim *d)
{
	for (unsigned i = SIZE_4K; i <= SIZE_2M; i++)
		bits_free(d->mapped[i], count_of(d->in_bits, size_shift(i)));
	for (unsigned i = 1; i <= TABLE_LEVELS; i++)
		bits_free(d->table[i], tables_of(d, i));
	frames_free(d->frames);
	*d = (struct dim){0};
}

void dim_compose(struct dim *d, const struct dim *first, unsigned n,
		 enum area area)
{
	*d = (struct dim){
		.mul = first->mul,
		.in_bits = first->in_bits,
		.levels = first->levels,
		.upper = first->upper,
		.vias = n,
	};
	for (unsigned i = 0; i < n; i++)
		d->via[i] = &first[i];
	place_tables(d, dim_area(&first[n - 1], area));
}

u64 dim_frame(const struct dim *d, u64 in)
{
	enum page_size size = dim_size(d, in);
	unsigned shift = size_shift(size);

	return frames_page(d->frames, in >> shift, size) +
	       (in & ((1ull << shift) - 1));
}

int dim_allocate(struct dim *d, bool sparse, struct err *err)
{
	d->frames = frames_new(d->in_bits, sparse);
	return d->frames ? 0 : err_set(err, "no memory for simulated frames");
}

int dim_add_page(struct dim *d, u64 in, enum page_size size)
{
	u64 page = in >> size_shift(size);

	if (bit_get(d->mapped[size], page))
		return 0;
	if (d->frames && frames_add_page(d->frames, page, size) < 0)
		return -1;
	bit_put(d->mapped[size], page, true);
	d->pages[size]++;
	return 1;
}

void dim_drop_page(struct dim *d, u64 in, enum page_size size)
{
	u64 page = in >> size_shift(size);

	if (!bit_put(d->mapped[size], page, false))
		return;
	d->pages[size]--;
	if (d->frames)
		frames_drop_page(d->frames, page, size);
}

int dim_move_page(struct dim *d, u64 from, u64 to, enum page_size size)
{
	unsigned shift = size_shift(size);

	if (d->frames &&
	    frames_move_page(d->frames, from >> shift, to >> shift, size) < 0)
		return -1;
	bit_put(d->mapped[size], from >> shift, false);
	bit_put(d->mapped[size], to >> shift, true);
	return 0;
}

int dim_split_page(struct dim *d, u64 in)
{
	u64 chunk = in >> CHUNK_SHIFT;

	if (d->frames && frames_split(d->frames, chunk) < 0)
		return -1;
	bit_put(d->mapped[SIZE_2M], chunk, false);
	bits_fill(d->mapped[SIZE_4K], chunk << 9, (chunk + 1) << 9, true);
	d->pages[SIZE_2M]--;
	d->pages[SIZE_4K] += 512;
	return 0;
}

int dim_add_table(struct dim *d, u64 in, unsigned level)
{
	u64 n = dim_table(d, in, level);

	if (bit_get(d->table[level], n))
		return 0;
	if (d->frames && frames_add_table(d->frames, level, n) < 0)
		return -1;
	bit_put(d->table[level], n, true);
	d->tables++;
	return 1;
}

void dim_drop_table(struct dim *d, u64 in, unsigned level)
{
	u64 n = dim_table(d, in, level);

	if (!bit_put(d->table[level], n, false))
		return;
	d->tables--;
	if (d->frames)
		frames_drop_table(d->frames, level, n);
}
