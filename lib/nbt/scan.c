/* SPDX-License-Identifier: Apache-2.0 */
/* Where a trace's blocks are: by its index, or by looking for them. */
#include <stdlib.h>
#include <string.h>

#include "lib/nbt/pack.h"
#include "lib/nbt/reader.h"

static bool good_footer(const struct nbt_reader *r, struct nbt_footer *f)
{
	u64 end = r->size - sizeof(*f);

	memcpy(f, r->bytes + end, sizeof(*f));
	return f->magic == NBT_FOOTER_MAGIC && (!r->has_id || f->id == r->id) &&
	       f->sum == NBT_HEADER_SUM(f, sum) && f->index_at <= end &&
	       f->index_at >= sizeof(struct nbt_file_header) &&
	       f->blocks <=
		       (end - f->index_at) / sizeof(struct nbt_index_entry) &&
	       f->blocks * sizeof(struct nbt_index_entry) ==
		       end - f->index_at &&
	       f->index_sum ==
		       nbt_sum(r->bytes + f->index_at, end - f->index_at);
}

/* Blocks stand one behind the other, in order. */
static bool copy_index(struct nbt_reader *r, const struct nbt_footer *f)
{
	const u8 *from = r->bytes + f->index_at;
	u64 at = sizeof(struct nbt_file_header), first = 0;

	for (u64 i = 0; i < f->blocks; i++) {
		struct nbt_index_entry e;

		memcpy(&e, from + i * sizeof(e), sizeof(e));
		if (e.at != at || e.first != first || e.n > NBT_BLOCK ||
		    e.bytes > f->index_at - at)
			return false;
		r->block[i] = (struct nbt_place){e.at, e.first};
		at += e.bytes;
		first += e.n;
	}
	return at == f->index_at && first == f->accesses;
}

int nbt_load_index(struct nbt_reader *r)
{
	struct nbt_footer f;

	if (r->size < sizeof(struct nbt_file_header) + sizeof(f) ||
	    !good_footer(r, &f) || !f.blocks)
		return -1;
	r->block = calloc(f.blocks, sizeof(*r->block));
	if (!r->block || !copy_index(r, &f)) {
		free(r->block);
		r->block = NULL;
		return -1;
	}
	r->blocks = f.blocks;
	r->info.complete = true;
	r->info.accesses = r->end = f.accesses;
	r->info.instructions = f.instructions;
	return 0;
}

static bool header_at(const struct nbt_reader *r, size_t at,
		      struct nbt_block_header *h)
{
	return at < r->size && nbt_good_header(r->bytes + at, r->size - at,
					       r->has_id ? &r->id : NULL, h);
}

/* The next place from @at on where a block's header is whole; @h: it. */
static size_t find_header(const struct nbt_reader *r, size_t at,
			  struct nbt_block_header *h)
{
	const u64 magic = NBT_BLOCK_MAGIC;
	const u8 *p;

	for (; at < r->size; at++) {
		p = memmem(r->bytes + at, r->size - at, &magic, sizeof(magic));
		if (!p)
			break;
		at = (size_t)(p - r->bytes);
		if (header_at(r, at, h))
			return at;
	}
	return r->size;
}

static int add_place(struct nbt_reader *r, size_t *room, size_t at, u64 first)
{
	struct nbt_place *block = r->block;

	if (r->blocks == *room) {
		*room = *room ? 2 * *room : 64;
		block = realloc(block, *room * sizeof(*block));
		if (!block)
			return -1;
		r->block = block;
	}
	block[r->blocks++] = (struct nbt_place){at, first};
	return 0;
}

/* What has been found so far. */
struct scan {
	size_t room;
	u64 number, first; /* of the block that should come next */
};

/* A number or an access that was there before makes a block one that does not
 * belong here; numbers that are left out are lost blocks. */
static int add_block(struct nbt_reader *r, struct scan *s, size_t at,
		     const struct nbt_block_header *h)
{
	if (h->number < s->number || h->first < s->first)
		return 0;
	r->id = h->id;
	r->has_id = true;
	r->info.lost_blocks += h->number - s->number;
	s->number = h->number + 1;
	s->first = r->end = h->first + h->n;
	if (h->stored > r->size - at - sizeof(*h)) {
		r->info.lost_blocks++;
		return 0;
	}
	r->info.accesses += h->n;
	r->info.instructions += h->instructions;
	return add_place(r, &s->room, at, h->first);
}

/*
 * Block after block. Where none follows at once, the search goes on directly
 * behind the last header: its block may have lost bytes.
 */
int nbt_scan(struct nbt_reader *r)
{
	size_t at = sizeof(struct nbt_file_header), behind = 0;
	struct nbt_block_header h;
	struct scan s = {0};

	for (;;) {
		if (!header_at(r, at, &h))
			at = find_header(r, behind, &h);
		if (at >= r->size)
			return 0;
		if (add_block(r, &s, at, &h) < 0)
			return -1;
		behind = at + sizeof(h);
		at = behind + h.stored;
	}
}
