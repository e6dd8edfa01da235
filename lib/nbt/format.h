/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a trace's file, as doc/traces.md describes it: file header,
 * blocks, index, footer. Private to lib/nbt. All structures are written and
 * read as they stand (little endian, naturally aligned, no padding).
 */
#pragma once

#include <xxh_x86dispatch.h>

#include "lib/nbt/nbt.h"

#define NBT_VERSION 1

/* What each part begins with. A block is found by it when all else is lost. */
#define NBT_FILE_MAGIC	 0x0a1a0a0d54424e89ull /* "\x89NBT\r\n\x1a\n" */
#define NBT_BLOCK_MAGIC	 0xb10c4e4254b10c9eull
#define NBT_FOOTER_MAGIC 0xf0074e4254f007e5ull

#define NBT_HAS_EVENTS	 1u /* of the file and of each block */
#define NBT_HAS_PHYSICAL 2u
#define NBT_PA_SHIFTED	 4u /* of a block: see NBT_PAGE_SHIFT */

struct nbt_file_header {
	u64 magic;
	u32 version;
	u32 size; /* of this header */
	u32 codec;
	u32 flags;
	u32 id; /* of this trace: what its blocks carry, too */
	u32 reserved;
	char program[256];
	char command[1024];
	char source[128];
	u8 spare[88];
	u64 sum; /* of all before */
};
ASSERT_SIZE(nbt_file_header, 1536);
ASSERT_OFFSET(nbt_file_header, sum, 1528);

/* The columns of a block, in their order in it. */
enum nbt_column {
	NBT_COL_ADDR,
	NBT_COL_PA,
	NBT_COL_KIND,
	NBT_COL_GAP,
	NBT_COL_RUNS,
	NBT_COL_EVENTS,
	NBT_COLUMNS
};

struct nbt_block_header {
	u64 magic;
	u32 id;
	u32 n;
	u64 number; /* of the block in the trace, from 0 */
	u64 first;
	u64 instructions;
	u64 addr_base; /* what the first delta is added to */
	u64 pa_base;
	u32 stored;   /* bytes behind this header */
	u32 unpacked; /* the same, once decompressed */
	u32 length[NBT_COLUMNS];
	u32 runs; /* behind the first */
	u32 events;
	u8 addr_class[4]; /* bytes of a delta of class 0 to 3 */
	u8 pa_class[4];
	u8 kind_code; /* enum nbt_code */
	u8 gap_code;
	u8 codec;
	u8 flags;
	u16 thread; /* of access 0 */
	u16 process;
	u64 sum;	/* of what is behind this header, as stored */
	u64 header_sum; /* of all before */
};
ASSERT_SIZE(nbt_block_header, 128);
ASSERT_OFFSET(nbt_block_header, stored, 56);
ASSERT_OFFSET(nbt_block_header, header_sum, 120);

/* A run as stored: struct nbt_run itself. */
ASSERT_SIZE(nbt_run, 8);

struct nbt_index_entry {
	u64 at; /* offset of the block in the file */
	u64 first;
	u32 n;
	u32 bytes; /* of the block, with its header */
};
ASSERT_SIZE(nbt_index_entry, 24);

struct nbt_footer {
	u64 magic;
	u32 id;
	u32 reserved;
	u64 index_at;
	u64 blocks;
	u64 accesses;
	u64 instructions;
	u64 index_sum;
	u64 sum; /* of all before */
};
ASSERT_SIZE(nbt_footer, 64);

/* How a column of bytes is stored; behind each, exceptions of 3 bytes. */
enum nbt_code {
	NBT_PLAIN,  /* the bytes */
	NBT_PERIOD, /* a pattern that repeats; its length is the column's first
		     * byte plus 1 */
	NBT_NIBBLE, /* 16 values, then an index of 4 bits for each */
	NBT_CODES
};

/* A column of addresses is 2 bits of class for each (rounded up to 8), their
 * deltas, and NBT_SLACK zeros that decoders may read beyond the last. */
#define NBT_GROUP      8
#define NBT_SLACK      64
#define NBT_DELTAS_MAX (NBT_BLOCK / 4 + NBT_BLOCK * 8 + NBT_SLACK)
#define NBT_BYTES_MAX  (NBT_BLOCK * 4)

/* Events of a block; a record's text, with its final 0. */
#define NBT_EVENTS_MAX (1u << 20)
#define NBT_TEXT_MAX   4096

/* Nothing behind a block's header is longer than this, compressed or not. */
#define NBT_PAYLOAD_MAX (4u << 20)

/* Physical addresses are stored as their distance from virtual ones, without
 * the bits that are the same in both, if all are. */
#define NBT_PAGE_SHIFT 12

/* What 5 levels of page tables translate: addresses are sign-extended from
 * bit 56. */
#define NBT_ADDRESS_BITS 57

static inline size_t nbt_round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static inline u64 nbt_sum(const void *bytes, size_t n)
{
	return XXH3_64bits_dispatch(bytes, n);
}

/* Over everything before @field, the structure's last. */
#define NBT_HEADER_SUM(header, field) \
	nbt_sum(header, offsetof(__typeof__(*(header)), field))
