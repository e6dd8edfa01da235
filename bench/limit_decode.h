/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's limit for reading a trace: addresses only, deltas of at most
 * 32 bits (zigzag) as 0, 1, 2 or 4 bytes, 2 bits of length each, blocks of 16
 * Ki accesses, trusted. No format that also has kinds, gaps, threads, events,
 * checksums and 8-byte deltas is faster; bench/decode prints how near ours is.
 * Needs AVX2.
 */
#pragma once

#include <zstd.h>

#include "lib/types.h"

#define LIMIT_BLOCK 16384

struct limit_trace {
	u8 *bytes;
	size_t size;
	size_t n;	 /* accesses: whole blocks */
	u8 *block;	 /* LIMIT_BLOCK_MAX bytes, for zstd */
	ZSTD_DCtx *zstd; /* NULL: not compressed */
};

#define LIMIT_BLOCK_MAX (8 + LIMIT_BLOCK / 4 + LIMIT_BLOCK * 4 + 64)

/* Encodes the first @n addresses, rounded down to blocks; < 0 if there is no
 * memory or a delta is too wide. limit_free() frees it. */
int limit_encode(const u64 *addr, size_t n, bool zstd, struct limit_trace *out);
void limit_free(struct limit_trace *t);

/* Decodes all into @addr, LIMIT_BLOCK of them at a time, and calls @block for
 * each of these. */
void limit_decode(const struct limit_trace *t, u64 *addr,
		  void (*block)(void *ctx, const u64 *addr, size_t n),
		  void *ctx);
