/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look-ups of walk/isa/avx512/lookup.h in AVX2: the lanes are rotated by
 * one, lane 0 gets the tag, and the lanes up to the one found are taken from
 * that, the others from what was there. 16 lanes are two vectors, of which the
 * upper one gets the lower one's last tag.
 */
#pragma once

#include <immintrin.h>

#include "lib/types.h"

static inline __m256i lookup_load(const u32 *s)
{
	return _mm256_load_si256((const __m256i *)(const void *)s);
}

static inline void lookup_store(u32 *s, __m256i v)
{
	_mm256_store_si256((__m256i *)(void *)s, v);
}

static inline u32 lookup_equal(__m256i v, __m256i t)
{
	__m256i equal = _mm256_cmpeq_epi32(v, t);

	return (u32)_mm256_movemask_ps(_mm256_castsi256_ps(equal));
}

static inline __m256i lookup_rotate(__m256i v)
{
	return _mm256_permutevar8x32_epi32(
		v, _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6));
}

/* Lanes from @first on that are not behind lane @at of the set. */
static inline __m256i lookup_upto(int at, int first)
{
	__m256i lane =
		_mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
				 _mm256_set1_epi32(first - 1));

	return _mm256_cmpgt_epi32(_mm256_set1_epi32(at), lane);
}

static inline void lookup_victim(const u32 *s, u32 last, u32 *victim)
{
	if (victim)
		*victim = s[__builtin_ctz(last)];
}

static inline bool lookup_4(u32 *s, u32 tag, u32 last, u32 *victim)
{
	__m128i v = _mm_load_si128((const __m128i *)(void *)s);
	__m128i t = _mm_set1_epi32((int)tag);
	__m128i equal = _mm_cmpeq_epi32(v, t), upto, rotated;
	u32 hit = (u32)_mm_movemask_ps(_mm_castsi128_ps(equal));

	lookup_victim(s, last, victim);
	upto = _mm_cmpgt_epi32(_mm_set1_epi32(__builtin_ctz(hit | last)),
			       _mm_setr_epi32(-1, 0, 1, 2));
	rotated = _mm_alignr_epi8(v, t, 12);
	_mm_store_si128((__m128i *)(void *)s,
			_mm_blendv_epi8(v, rotated, upto));
	return hit;
}

static inline bool lookup_8(u32 *s, u32 tag, u32 last, u32 *victim)
{
	__m256i v = lookup_load(s), t = _mm256_set1_epi32((int)tag), rotated;
	u32 hit = lookup_equal(v, t);
	int at = __builtin_ctz(hit | last);

	lookup_victim(s, last, victim);
	rotated = _mm256_blend_epi32(lookup_rotate(v), t, 1);
	lookup_store(s, _mm256_blendv_epi8(v, rotated, lookup_upto(at, 0)));
	return hit;
}

static inline bool lookup_16(u32 *s, u32 tag, u32 last, u32 *victim)
{
	__m256i v = lookup_load(s), w = lookup_load(s + 8);
	__m256i t = _mm256_set1_epi32((int)tag), low, high;
	u32 hit = lookup_equal(v, t) | lookup_equal(w, t) << 8;
	int at = __builtin_ctz(hit | last);

	lookup_victim(s, last, victim);
	low = lookup_rotate(v);
	high = _mm256_blend_epi32(lookup_rotate(w), low, 1);
	low = _mm256_blend_epi32(low, t, 1);
	lookup_store(s, _mm256_blendv_epi8(v, low, lookup_upto(at, 0)));
	lookup_store(s + 8, _mm256_blendv_epi8(w, high, lookup_upto(at, 8)));
	return hit;
}
