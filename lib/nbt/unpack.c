/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block's bytes to its accesses. Nothing here trusts them: the file may be
 * damaged, or made by an enemy with right checksums.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/nbt/event.h"
#include "lib/nbt/kernel.h"
#include "lib/nbt/pack.h"

#define EXCEPTION 3

/* A column of bytes, spread out; what it is of, so that the next block's need
 * not be if it is the same. */
struct filled {
	u8 byte[NBT_BLOCK + 256];
	u8 pattern[257]; /* its length - 1, itself */
	bool valid;
};

struct own {
	u64 *addr;
	u64 *pa; /* NULL until a block has them */
	struct filled kind, gap;
	u8 *plain; /* what zstd gave, NBT_PAYLOAD_MAX; NULL until needed */
	ZSTD_DCtx *zstd;
	struct nbt_run run[NBT_BLOCK + 1];
	struct nbt_event *event;
	size_t events; /* that there is room for */
};

static u64 *new_addresses(void)
{
	return aligned_alloc(64, NBT_BLOCK * sizeof(u64));
}

struct nbt_block *nbt_block_new(void)
{
	struct nbt_block *b = calloc(1, sizeof(*b));
	struct own *own = calloc(1, sizeof(*own));

	if (own)
		own->addr = new_addresses();
	if (!b || !own || !own->addr) {
		free(own ? own->addr : NULL);
		free(own);
		free(b);
		return NULL;
	}
	b->own = own;
	return b;
}

void nbt_block_free(struct nbt_block *b)
{
	struct own *own = b ? b->own : NULL;

	if (!b)
		return;
	free(own->addr);
	free(own->pa);
	free(own->plain);
	free(own->event);
	ZSTD_freeDCtx(own->zstd);
	free(own);
	free(b);
}

bool nbt_good_header(const u8 *bytes, size_t size, const u32 *id,
		     struct nbt_block_header *h)
{
	u64 sum = 0;

	if (size < sizeof(*h))
		return false;
	memcpy(h, bytes, sizeof(*h));
	for (int i = 0; i < NBT_COLUMNS; i++)
		sum += h->length[i];
	return h->magic == NBT_BLOCK_MAGIC && (!id || h->id == *id) &&
	       h->header_sum == NBT_HEADER_SUM(h, header_sum) &&
	       h->n <= NBT_BLOCK && h->first <= ~0ull >> 1 &&
	       h->number <= ~0ull >> 1 && h->unpacked <= NBT_PAYLOAD_MAX &&
	       h->stored <= NBT_PAYLOAD_MAX && h->unpacked == sum;
}

/* The block's columns, decompressed; NULL if they cannot be or there is no
 * memory. */
static const u8 *plain_bytes(const struct nbt_block_header *h,
			     const u8 *payload, struct own *own)
{
	size_t n;

	if (h->codec == NBT_RAW)
		return h->stored == h->unpacked ? payload : NULL;
	if (h->codec != NBT_ZSTD)
		return NULL;
	if (!own->plain)
		own->plain = malloc(NBT_PAYLOAD_MAX);
	if (!own->zstd)
		own->zstd = ZSTD_createDCtx();
	if (!own->plain || !own->zstd)
		return NULL;
	n = ZSTD_decompressDCtx(own->zstd, own->plain, h->unpacked, payload,
				h->stored);
	return n == h->unpacked ? own->plain : NULL;
}

/* Where the same column of the next block is, which is fetched meanwhile (a
 * tenth of the time of a block from memory). */
static size_t ahead(const struct nbt_block_header *h)
{
	return h->codec == NBT_RAW ? sizeof(*h) + h->stored : 0;
}

/* A column of deltas. */
static const char *get_deltas(struct nbt_deltas *d, const u8 *bytes,
			      size_t size, u64 *out, u64 *width)
{
	size_t control = nbt_round_up(d->n, NBT_GROUP) / 4;
	const u8 *end;

	for (int i = 0; i < 4; i++)
		if (d->class[i] > 8)
			return "a delta of more than 8 bytes";
	if (size < control + NBT_SLACK)
		return "too few addresses";
	d->control = bytes;
	d->data = bytes + control;
	d->end = bytes + size;
	end = nbt_kernel()->deltas(d, out, width);
	return end && d->end - end == NBT_SLACK ? NULL
						: "addresses of a wrong length";
}

static const char *get_addresses(const struct nbt_block_header *h,
				 const u8 *bytes, struct own *own)
{
	struct nbt_deltas d = {
		.base = h->addr_base, .n = h->n, .ahead = ahead(h)};
	const char *wrong;
	u64 width = 0;

	memcpy(d.class, h->addr_class, sizeof(d.class));
	wrong = get_deltas(&d, bytes, h->length[NBT_COL_ADDR], own->addr,
			   &width);
	if (!wrong && width >> (NBT_ADDRESS_BITS - 1))
		wrong = "an address that is not canonical";
	return wrong;
}

static const char *get_physical(const struct nbt_block_header *h,
				const u8 *bytes, struct own *own)
{
	struct nbt_deltas d = {
		.base = h->pa_base, .n = h->n, .ahead = ahead(h)};
	unsigned shift = h->flags & NBT_PA_SHIFTED ? NBT_PAGE_SHIFT : 0;
	const char *wrong;
	u64 width;

	if (!own->pa)
		own->pa = new_addresses();
	if (!own->pa)
		return "no memory";
	memcpy(d.class, h->pa_class, sizeof(d.class));
	wrong = get_deltas(&d, bytes, h->length[NBT_COL_PA], own->pa, &width);
	for (u32 i = 0; !wrong && i < h->n; i++)
		own->pa[i] = own->addr[i] + (own->pa[i] << shift);
	return wrong;
}

/* Repeats the pattern at @in, unless the block before has left it there. */
static void fill(struct filled *f, const u8 *in, size_t period)
{
	if (f->valid && !memcmp(f->pattern, in, period + 1))
		return;
	memcpy(f->pattern, in, period + 1);
	memcpy(f->byte, in + 1, period);
	for (size_t have = period; have < NBT_BLOCK;) {
		size_t more = have < NBT_BLOCK - have ? have : NBT_BLOCK - have;

		memcpy(f->byte + have, f->byte, more);
		have += more;
	}
	f->valid = true;
}

static const char *put_exceptions(struct filled *f, const u8 *in, size_t size,
				  size_t n)
{
	if (size % EXCEPTION)
		return "a column of a wrong length";
	for (; size; size -= EXCEPTION, in += EXCEPTION) {
		size_t at = in[0] | (size_t)in[1] << 8;

		f->valid = false;
		if (at >= n)
			return "an exception beyond the block's end";
		f->byte[at] = in[2];
	}
	return NULL;
}

/* A column of bytes, as stored. */
struct stored {
	unsigned code;
	const u8 *in;
	size_t size;
	size_t n; /* accesses */
};

/* Bytes of a column before its exceptions; 0 if there is no such column. */
static size_t main_part(const struct stored *s)
{
	switch (s->code) {
	case NBT_PERIOD:
		return s->size ? 2 + (size_t)s->in[0] : 0;
	case NBT_NIBBLE:
		return 16 + nbt_round_up((s->n + 1) / 2, 16);
	default:
		return 0;
	}
}

/* Where they then are, into @out. */
static const char *get_bytes(const struct stored *s, struct filled *f,
			     const u8 **out)
{
	size_t used = main_part(s);

	*out = s->in;
	if (s->code == NBT_PLAIN)
		return s->size == s->n ? NULL : "a column of a wrong length";
	if (!used || used > s->size)
		return "a column of a wrong length";
	*out = f->byte;
	if (s->code == NBT_PERIOD) {
		fill(f, s->in, used - 1);
	} else {
		nbt_kernel()->nibbles(s->in + 16, s->in, f->byte, s->n);
		f->valid = false;
	}
	return put_exceptions(f, s->in + used, s->size - used, s->n);
}

/* The kinds are at @in, the gaps behind them. */
static const char *get_kinds_gaps(const struct nbt_block_header *h,
				  const u8 *in, struct nbt_block *b)
{
	struct stored kinds = {h->kind_code, in, h->length[NBT_COL_KIND], h->n};
	struct stored gaps = {h->gap_code, in + kinds.size,
			      h->length[NBT_COL_GAP], h->n};
	struct own *own = b->own;
	const char *wrong = get_bytes(&kinds, &own->kind, &b->kind);

	return wrong ? wrong : get_bytes(&gaps, &own->gap, &b->gap);
}

static const char *get_runs(const struct nbt_block_header *h, const u8 *in,
			    struct own *own)
{
	if (h->length[NBT_COL_RUNS] != h->runs * sizeof(*own->run) ||
	    h->runs > NBT_BLOCK)
		return "threads of a wrong length";
	own->run[0] = (struct nbt_run){0, h->thread, h->process};
	memcpy(own->run + 1, in, h->length[NBT_COL_RUNS]);
	for (u32 i = 1; i <= h->runs; i++)
		if (own->run[i].at <= own->run[i - 1].at ||
		    own->run[i].at >= h->n)
			return "threads out of order";
	return NULL;
}

static const char *get_events(const struct nbt_block_header *h, const u8 *in,
			      struct own *own)
{
	u32 size = h->length[NBT_COL_EVENTS];

	if (h->events > size)
		return "events of a wrong length";
	if (h->events > own->events) {
		free(own->event);
		own->event = malloc(h->events * sizeof(*own->event));
		own->events = own->event ? h->events : 0;
		if (!own->event)
			return "no memory";
	}
	if (nbt_get_records(in, size, h->n, h->events, own->event) < 0)
		return "an event that is none";
	return NULL;
}

static void describe(const struct nbt_block_header *h, struct nbt_block *b)
{
	struct own *own = b->own;

	b->first = h->first;
	b->n = h->n;
	b->instructions = h->instructions;
	b->addr = own->addr;
	b->pa = h->flags & NBT_HAS_PHYSICAL ? own->pa : NULL;
	b->run = own->run;
	b->runs = h->runs + 1;
	b->event = own->event;
	b->events = h->events;
}

/* Column after column; they fill the block, as nbt_good_header() has seen. */
static const char *get_columns(const struct nbt_block_header *h, const u8 *in,
			       struct nbt_block *b)
{
	const u32 *length = h->length;
	struct own *own = b->own;
	const char *wrong = get_addresses(h, in, own);

	in += length[NBT_COL_ADDR];
	if (!wrong && h->flags & NBT_HAS_PHYSICAL)
		wrong = get_physical(h, in, own);
	in += length[NBT_COL_PA];
	if (!wrong)
		wrong = get_kinds_gaps(h, in, b);
	in += length[NBT_COL_KIND] + length[NBT_COL_GAP];
	if (!wrong)
		wrong = get_runs(h, in, own);
	in += length[NBT_COL_RUNS];
	return wrong ? wrong : get_events(h, in, own);
}

const char *nbt_unpack_block(const struct nbt_block_header *h,
			     const u8 *payload, struct nbt_block *b)
{
	const char *wrong;
	const u8 *plain;

	b->n = 0;
	b->runs = b->events = 0;
	if (h->sum != nbt_sum(payload, h->stored))
		return "its checksum differs";
	plain = plain_bytes(h, payload, b->own);
	if (!plain)
		return "it cannot be decompressed";
	wrong = get_columns(h, plain, b);
	if (!wrong)
		describe(h, b);
	return wrong;
}
