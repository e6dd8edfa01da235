/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for what reads traces. The first byte of an input chooses: 0, the
 * rest is a file; else, it is a block's header and what stands behind it, of
 * which a file with right magics, lengths and checksums is made, as an enemy
 * would. Besides what the sanitizers see, it stops where decoders differ, and
 * where a block breaks a promise of lib/nbt/nbt.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/nbt/format.h"
#include "lib/nbt/reader.h"
#include "lib/nbt/summary.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char *const decoders[] = {"portable", "avx2", "avx512"};

/* What one decoder makes of a trace. */
struct result {
	u64 sum;
	size_t bad;
};

static void require(bool true_thing)
{
	if (!true_thing)
		abort();
}

static u64 add(u64 sum, const void *bytes, size_t n)
{
	return XXH3_64bits_withSeed(bytes, n, sum);
}

static u64 add_event(u64 sum, const struct nbt_block *b, size_t i)
{
	const struct nbt_event *e = &b->event[i];

	require(e->at <= b->n && e->type < NBT_EVENTS);
	require(!i || e->at >= b->event[i - 1].at);
	sum = add(sum, e->arg, sizeof(e->arg));
	sum = add(sum, &e->at, sizeof(e->at));
	return e->text ? add(sum, e->text, strlen(e->text)) : sum;
}

static u64 add_block(u64 sum, const struct nbt_block *b)
{
	require(b->n <= NBT_BLOCK && b->runs >= 1 && !b->run[0].at);
	for (size_t i = 1; i < b->runs; i++)
		require(b->run[i].at > b->run[i - 1].at && b->run[i].at < b->n);
	for (u32 i = 0; i < b->n; i++)
		require((u64)((int64_t)(b->addr[i] << 7) >> 7) == b->addr[i]);
	for (size_t i = 0; i < b->events; i++)
		sum = add_event(sum, b, i);
	sum = add(sum, b->addr, b->n * sizeof(*b->addr));
	if (b->pa)
		sum = add(sum, b->pa, b->n * sizeof(*b->pa));
	sum = add(sum, b->kind, b->n);
	return add(sum, b->gap, b->n);
}

/* The block's buffers stay: what one trace left in them is no matter. */
static struct result read_all(const struct nbt_reader *r)
{
	static struct nbt_block *b;
	struct result result = {0};
	struct err err;

	if (!b)
		b = nbt_block_new();
	require(b != NULL);
	for (size_t i = 0; i < nbt_blocks(r); i++) {
		if (nbt_read(r, i, b, &err) < 0)
			result.bad++;
		else
			result.sum = add_block(result.sum, b);
	}
	return result;
}

static void summarize(const struct nbt_reader *r, size_t bad)
{
	struct nbt_summary s;
	struct err err;

	require(nbt_summarize(r, false, &s, &err) == 0);
	nbt_summary_free(&s);
	require(nbt_summarize(r, true, &s, &err) == 0);
	require(s.damaged == bad && s.blocks == nbt_blocks(r));
	nbt_summary_free(&s);
	require(nbt_seek(r, s.lost_accesses) < nbt_blocks(r));
}

static void try_file(const u8 *bytes, size_t size)
{
	struct err err;
	struct nbt_reader *r = nbt_open_bytes(bytes, size, "fuzz", &err);
	struct result first = {0};

	if (!r)
		return;
	require(nbt_blocks(r) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
		struct result now;

		if (nbt_choose_decoder(decoders[i]) < 0)
			continue;
		now = read_all(r);
		require(!i || !memcmp(&now, &first, sizeof(now)));
		first = now;
	}
	summarize(r, first.bad);
	nbt_close(r);
}

/* The header that makes @size bytes behind it a whole block. */
static void mend(struct nbt_block_header *h, const u8 *payload, size_t size)
{
	size_t left = size;

	h->magic = NBT_BLOCK_MAGIC;
	h->number = h->first = 0;
	h->stored = (u32)size;
	if (h->codec == NBT_RAW) {
		for (int i = 0; i < NBT_COLUMNS; i++) {
			if (h->length[i] > left || i == NBT_COLUMNS - 1)
				h->length[i] = (u32)left;
			left -= h->length[i];
		}
		h->unpacked = h->stored;
	}
	h->sum = nbt_sum(payload, size);
	h->header_sum = NBT_HEADER_SUM(h, header_sum);
}

/* In memory of the exact size, so that a read beyond it is seen. @h: what comes
 * before, behind a file header that is lost. */
static void try_copy(const struct nbt_block_header *h, const u8 *bytes,
		     size_t size)
{
	size_t before = h ? sizeof(struct nbt_file_header) + sizeof(*h) : 0;
	u8 *copy = calloc(1, before + size + !size);

	require(copy != NULL);
	if (h)
		memcpy(copy + before - sizeof(*h), h, sizeof(*h));
	memcpy(copy + before, bytes, size);
	try_file(copy, before + size);
	free(copy);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct nbt_block_header h;

	if (!size)
		return 0;
	if (data[0] == 0) {
		try_copy(NULL, data + 1, size - 1);
	} else if (size > sizeof(h)) {
		memcpy(&h, data + 1, sizeof(h));
		size -= 1 + sizeof(h);
		data += 1 + sizeof(h);
		mend(&h, data, size);
		try_copy(&h, data, size);
	}
	return 0;
}
