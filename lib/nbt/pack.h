/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block to bytes and back. Private to lib/nbt: writer.c fills a struct
 * nbt_pack and writes what comes of it, reader.c unpacks. Packing allocates
 * nothing; unpacking only buffers that the block keeps.
 */
#pragma once

#include <zstd.h>

#include "lib/nbt/format.h"

/* A block to be packed, and the space that this takes. */
struct nbt_pack {
	u64 addr[NBT_BLOCK + NBT_GROUP];
	u64 pa[NBT_BLOCK + NBT_GROUP];
	u64 scratch[NBT_BLOCK + NBT_GROUP];
	u8 kind[NBT_BLOCK];
	u8 gap[NBT_BLOCK];
	struct nbt_run run[NBT_BLOCK]; /* behind the first */
	u8 event[NBT_EVENTS_MAX + NBT_TEXT_MAX + 64];
	size_t event_bytes;
	u8 plain[NBT_PAYLOAD_MAX];
	u8 out[sizeof(struct nbt_block_header) + NBT_PAYLOAD_MAX];
	ZSTD_CCtx *zstd; /* NULL: raw */
};

/*
 * Packs the block whose magic, id, n, number, first, instructions, runs,
 * events, flags, thread and process stand in @h; fills in the rest. What is
 * to be written is p->out. Returns its size.
 */
size_t nbt_pack_block(struct nbt_pack *p, struct nbt_block_header *h);

/* True if the header at @bytes is whole and can be one of a trace's block:
 * copied to @h. @id: what it has to have, or NULL. */
bool nbt_good_header(const u8 *bytes, size_t size, const u32 *id,
		     struct nbt_block_header *h);

/* Decodes what stands behind header @h into @b. Returns NULL or what is wrong
 * with it. */
const char *nbt_unpack_block(const struct nbt_block_header *h,
			     const u8 *payload, struct nbt_block *b);
