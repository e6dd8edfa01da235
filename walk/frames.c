/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/frames.h"

#include <stdlib.h>

#include "walk/bits.h"

#define LARGE_ORDER 9
#define PART_SIZE   512 /* slots at first: a page of the host */

/* Arrays, of which memory comes where they are used. */
static u32 *array_new(u64 n)
{
	return (u32 *)bits_new(n * 32);
}

static void array_free(u32 *a, u64 n)
{
	bits_free((u64 *)a, n * 32);
}

static u64 pages(const struct frame_map *f)
{
	return 1ull << (f->in_bits - PAGE_SHIFT);
}

/* Tables of level 3 up have numbers of regions, at most. */
static u64 tables(const struct frame_map *f, unsigned level)
{
	unsigned shift = level < 3 ? PAGE_SHIFT + 9 * level : REGION_SHIFT;

	return 1ull << (f->in_bits - shift);
}

struct frame_map *frames_new(unsigned in_bits, bool hashed)
{
	struct frame_map *f = calloc(1, sizeof(*f));
	bool ok;

	if (!f)
		return NULL;
	f->in_bits = in_bits;
	ok = buddy_init(&f->buddy, pages(f)) == 0;
	f->large = array_new(pages(f) >> LARGE_ORDER);
	ok &= f->large != NULL;
	for (unsigned i = 1; i <= TABLE_LEVELS; i++) {
		f->table[i] = array_new(tables(f, i));
		ok &= f->table[i] != NULL;
	}
	if (!hashed) {
		f->small = array_new(pages(f));
		ok &= f->small != NULL;
	}
	if (!ok) {
		frames_free(f);
		return NULL;
	}
	(void)buddy_take(&f->buddy, 0); /* frame 0 is nobody's */
	return f;
}

void frames_free(struct frame_map *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < 1 << PART_BITS; i++)
		bits_free(f->part[i].slot, f->part[i].size * 64);
	for (unsigned i = 1; i <= TABLE_LEVELS; i++)
		array_free(f->table[i], tables(f, i));
	array_free(f->large, pages(f) >> LARGE_ORDER);
	array_free(f->small, pages(f));
	buddy_free_all(&f->buddy);
	free(f);
}

/* The hash table ***********************************************************/

static u64 hash(u64 page)
{
	return page * 0x9e3779b97f4a7c15ull;
}

static struct part *part_of(struct frame_map *f, u64 page)
{
	return &f->part[hash(page) >> (64 - PART_BITS)];
}

/* Where a page would be if it were alone: the hash's bits below the part's. */
static u64 home(const struct part *p, u64 page)
{
	return ((hash(page) << PART_BITS >> 32) * p->size) >> 32;
}

static u64 next(const struct part *p, u64 i)
{
	return i + 1 < p->size ? i + 1 : 0;
}

/* The slot of @page, or the empty one where it belongs. */
static u64 probe(const struct part *p, u64 page)
{
	u64 i = home(p, page);

	while (p->slot[i] && p->slot[i] >> 32 != page)
		i = next(p, i);
	return i;
}

/* At most 7 of 8 are in use; an eighth more at a time. */
static int grow(struct part *p)
{
	struct part new = {.size = p->size + p->size / 8, .n = p->n};

	if (!p->size)
		new.size = PART_SIZE;
	new.slot = bits_new(new.size * 64);
	if (!new.slot)
		return -1;
	for (u64 i = 0; i < p->size; i++)
		if (p->slot[i])
			new.slot[probe(&new, p->slot[i] >> 32)] = p->slot[i];
	bits_free(p->slot, p->size * 64);
	*p = new;
	return 0;
}

static int insert(struct frame_map *f, u64 page, u32 frame)
{
	struct part *p = part_of(f, page);

	if (p->n >= p->size / 8 * 7 && grow(p) < 0)
		return -1;
	p->slot[probe(p, page)] = page << 32 | frame;
	p->n++;
	return 0;
}

/* Moves up what an emptied slot would hide. */
static void erase(struct frame_map *f, u64 page)
{
	struct part *p = part_of(f, page);
	u64 hole = probe(p, page);

	p->n--;
	for (u64 i = next(p, hole); p->slot[i]; i = next(p, i)) {
		u64 wish = home(p, p->slot[i] >> 32);
		u64 from_wish = (i + p->size - wish) % p->size;
		u64 from_hole = (i + p->size - hole) % p->size;

		if (from_wish < from_hole)
			continue;
		p->slot[hole] = p->slot[i];
		hole = i;
	}
	p->slot[hole] = 0;
}

/* Pages and tables *********************************************************/

static u32 get_small(const struct frame_map *f, u64 page)
{
	const struct part *p = &f->part[hash(page) >> (64 - PART_BITS)];

	if (f->small)
		return f->small[page];
	return p->size ? (u32)p->slot[probe(p, page)] : 0;
}

static int set_small(struct frame_map *f, u64 page, u32 frame)
{
	if (!f->small)
		return insert(f, page, frame);
	f->small[page] = frame;
	return 0;
}

static u64 address(u32 frame)
{
	return frame ? (u64)(frame - 1) << PAGE_SHIFT : 0;
}

u64 frames_page(const struct frame_map *f, u64 page, enum page_size size)
{
	return address(size == SIZE_4K ? get_small(f, page) : f->large[page]);
}

u64 frames_table(const struct frame_map *f, unsigned level, u64 n)
{
	return address(f->table[level][n]);
}

int frames_add_page(struct frame_map *f, u64 page, enum page_size size)
{
	unsigned order = size == SIZE_4K ? 0 : LARGE_ORDER;
	u64 frame = buddy_take(&f->buddy, order);

	if (frame == BUDDY_NONE)
		return -1;
	if (size == SIZE_2M)
		f->large[page] = (u32)frame + 1;
	else if (set_small(f, page, (u32)frame + 1) < 0) {
		buddy_give(&f->buddy, frame, order);
		return -1;
	}
	return 0;
}

int frames_add_table(struct frame_map *f, unsigned level, u64 n)
{
	u64 frame = buddy_take(&f->buddy, 0);

	if (frame == BUDDY_NONE)
		return -1;
	f->table[level][n] = (u32)frame + 1;
	return 0;
}

static void forget_page(struct frame_map *f, u64 page, enum page_size size)
{
	if (size == SIZE_2M)
		f->large[page] = 0;
	else if (f->small)
		f->small[page] = 0;
	else
		erase(f, page);
}

void frames_drop_page(struct frame_map *f, u64 page, enum page_size size)
{
	if (size == SIZE_2M)
		buddy_give(&f->buddy, f->large[page] - 1, LARGE_ORDER);
	else
		buddy_give(&f->buddy, get_small(f, page) - 1, 0);
	forget_page(f, page, size);
}

int frames_move_page(struct frame_map *f, u64 from, u64 to, enum page_size size)
{
	if (size == SIZE_2M)
		f->large[to] = f->large[from];
	else if (set_small(f, to, get_small(f, from)) < 0)
		return -1;
	forget_page(f, from, size);
	return 0;
}

void frames_drop_table(struct frame_map *f, unsigned level, u64 n)
{
	buddy_give(&f->buddy, f->table[level][n] - 1, 0);
	f->table[level][n] = 0;
}

int frames_split(struct frame_map *f, u64 chunk)
{
	u32 frame = f->large[chunk];

	f->large[chunk] = 0;
	for (u32 i = 0; i < 512; i++)
		if (set_small(f, (chunk << 9) + i, frame + i) < 0)
			return -1;
	return 0;
}
