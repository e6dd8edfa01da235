/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/limit_decode.h"

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

static const u8 length_of[4] = {0, 1, 2, 4};

/* For 4 classes: where the bytes of the deltas go, and how many they are. */
struct tables {
	u8 shuffle[256][16];
	u8 bytes[256];
};

static void make_tables(struct tables *t)
{
	for (int c = 0; c < 256; c++) {
		u8 at = 0;

		for (int j = 0; j < 4; j++) {
			u8 n = length_of[c >> 2 * j & 3];

			for (u8 b = 0; b < 4; b++)
				t->shuffle[c][4 * j + b] =
					b < n ? (u8)(at + b) : 0x80;
			at += n;
		}
		t->bytes[c] = at;
	}
}

/* Returns where it ended, or NULL if a delta is too wide. */
static u8 *encode_block(const u64 *addr, u8 *out)
{
	u8 *control = out + 8, *p = control + LIMIT_BLOCK / 4;
	u64 last = addr[0];

	memcpy(out, &last, 8);
	memset(control, 0, LIMIT_BLOCK / 4);
	for (size_t i = 0; i < LIMIT_BLOCK; i++) {
		u64 delta = addr[i] - last;
		u64 z = delta << 1 ^ -(delta >> 63);
		unsigned class = z ? z < 256 ? 1 : z < 65536 ? 2 : 3 : 0;

		if (z >> 32)
			return NULL;
		last = addr[i];
		control[i / 4] |= (u8)(class << 2 * (i % 4));
		memcpy(p, &z, 4);
		p += length_of[class];
	}
	return p;
}

/* One block behind the others; compressed blocks have their size before. */
static int append_block(struct limit_trace *t, const u64 *addr, bool zstd)
{
	u8 *out = zstd ? t->block : t->bytes + t->size;
	u8 *end = encode_block(addr, out);
	u32 size;

	if (!end)
		return -1;
	if (!zstd) {
		t->size = (size_t)(end - t->bytes);
		return 0;
	}
	size = (u32)ZSTD_compress(t->bytes + t->size + 4,
				  ZSTD_compressBound(LIMIT_BLOCK_MAX), t->block,
				  (size_t)(end - t->block), 1);
	memcpy(t->bytes + t->size, &size, 4);
	t->size += 4 + size;
	return 0;
}

int limit_encode(const u64 *addr, size_t n, bool zstd, struct limit_trace *out)
{
	size_t blocks = n / LIMIT_BLOCK;

	*out = (struct limit_trace){.n = blocks * LIMIT_BLOCK};
	out->bytes =
		malloc(blocks * (4 + ZSTD_compressBound(LIMIT_BLOCK_MAX)) + 64);
	out->block = malloc(LIMIT_BLOCK_MAX);
	if (zstd)
		out->zstd = ZSTD_createDCtx();
	if (!out->bytes || !out->block || (zstd && !out->zstd)) {
		limit_free(out);
		return -1;
	}
	for (size_t i = 0; i < out->n; i += LIMIT_BLOCK) {
		if (append_block(out, addr + i, zstd) < 0) {
			limit_free(out);
			return -1;
		}
	}
	return 0;
}

void limit_free(struct limit_trace *t)
{
	free(t->bytes);
	free(t->block);
	ZSTD_freeDCtx(t->zstd);
	*t = (struct limit_trace){0};
}

/* 4 deltas of 32 bits to 4 sums of 64. */
AVX2 static inline __m256i sums(__m128i z)
{
	__m128i sign = _mm_and_si128(z, _mm_set1_epi32(1));
	__m128i v = _mm_xor_si128(_mm_srli_epi32(z, 1),
				  _mm_sub_epi32(_mm_setzero_si128(), sign));
	__m256i wide = _mm256_cvtepi32_epi64(v);
	__m256i pairs = _mm256_add_epi64(wide, _mm256_slli_si256(wide, 8));
	__m256i low = _mm256_permute4x64_epi64(pairs, 0x55);

	return _mm256_add_epi64(
		pairs, _mm256_blend_epi32(_mm256_setzero_si256(), low, 0xf0));
}

AVX2 static const u8 *decode_block(const struct tables *t, const u8 *p,
				   u64 *out)
{
	const u8 *control = p + 8, *data = control + LIMIT_BLOCK / 4;
	__m256i last;
	u64 base;

	memcpy(&base, p, 8);
	last = _mm256_set1_epi64x((long long)base);
	for (size_t i = 0; i < LIMIT_BLOCK; i += 4) {
		u8 c = control[i / 4];
		__m128i v = _mm_shuffle_epi8(
			_mm_loadu_si128((const __m128i *)data),
			_mm_loadu_si128((const __m128i *)t->shuffle[c]));

		data += t->bytes[c];
		last = _mm256_add_epi64(last, sums(v));
		_mm256_storeu_si256((__m256i *)(out + i), last);
		last = _mm256_permute4x64_epi64(last, 0xff);
	}
	return data;
}

void limit_decode(const struct limit_trace *t, u64 *addr,
		  void (*block)(void *ctx, const u64 *addr, size_t n),
		  void *ctx)
{
	const u8 *p = t->bytes;
	struct tables tables;

	make_tables(&tables);
	for (size_t i = 0; i < t->n; i += LIMIT_BLOCK) {
		if (t->zstd) {
			u32 size;

			memcpy(&size, p, 4);
			ZSTD_decompressDCtx(t->zstd, t->block, LIMIT_BLOCK_MAX,
					    p + 4, size);
			p += 4 + size;
			decode_block(&tables, t->block, addr);
		} else {
			p = decode_block(&tables, p, addr);
		}
		block(ctx, addr, LIMIT_BLOCK);
	}
}
