/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace in memory: what nbt_open() makes of a file, and tests of bytes.
 * Private to lib/nbt.
 */
#pragma once

#include "lib/nbt/format.h"

/* A block's place in the file. */
struct nbt_place {
	u64 at;
	u64 first;
};

struct nbt_reader {
	const u8 *bytes;
	size_t size;
	bool mapped; /* they are to be unmapped */
	char name[256];
	struct nbt_info info;
	bool has_id; /* the file's header has told what id blocks have */
	u32 id;
	struct nbt_place *block;
	size_t blocks;
	u64 end; /* accesses, with those of lost blocks that others follow */
};

/* Reads a trace from memory that lives as long as the reader. */
struct nbt_reader *nbt_open_bytes(const u8 *bytes, size_t size,
				  const char *name, struct err *err);

/* Finds the blocks by index. Returns < 0 if there is no good one. */
int nbt_load_index(struct nbt_reader *r);

/* Finds them by looking for them. Returns < 0 if there is no memory. */
int nbt_scan(struct nbt_reader *r);

/* The header of block @i; false if it is damaged. */
bool nbt_header(const struct nbt_reader *r, size_t i,
		struct nbt_block_header *h);
