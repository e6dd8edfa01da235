/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look-up of a set of 4, 8 or 16 tags in order of recency, AVX-512: finds
 * @tag or takes the last way (@last is its bit), shifts the tags before it up
 * by one lane and puts @tag into lane 0. Returns whether it was there; the tag
 * that fell out goes to *@victim unless that is NULL.
 *
 * blsmsk makes the mask of the lanes up to the one found; valign shifts the tag
 * in; both together are one masked instruction.
 */
#pragma once

#include <immintrin.h>

#include "lib/types.h"

static inline void lookup_victim(const u32 *s, u32 last, u32 *victim)
{
	if (victim)
		*victim = s[__builtin_ctz(last)];
}

static inline bool lookup_4(u32 *s, u32 tag, u32 last, u32 *victim)
{
	__m128i v = _mm_load_si128((const __m128i *)(void *)s);
	__m128i t = _mm_set1_epi32((int)tag);
	u32 hit = _mm_cmpeq_epi32_mask(v, t), lanes = hit | last;

	lookup_victim(s, last, victim);
	lanes ^= lanes - 1;
	v = _mm_mask_alignr_epi32(v, (__mmask8)lanes, v, t, 3);
	_mm_store_si128((__m128i *)(void *)s, v);
	return hit;
}

static inline bool lookup_8(u32 *s, u32 tag, u32 last, u32 *victim)
{
	__m256i v = _mm256_load_si256((const __m256i *)(void *)s);
	__m256i t = _mm256_set1_epi32((int)tag);
	u32 hit = _mm256_cmpeq_epi32_mask(v, t), lanes = hit | last;

	lookup_victim(s, last, victim);
	lanes ^= lanes - 1;
	v = _mm256_mask_alignr_epi32(v, (__mmask8)lanes, v, t, 7);
	_mm256_store_si256((__m256i *)(void *)s, v);
	return hit;
}

static inline bool lookup_16(u32 *s, u32 tag, u32 last, u32 *victim)
{
	__m512i v = _mm512_load_si512(s);
	__m512i t = _mm512_set1_epi32((int)tag);
	u32 hit = _mm512_cmpeq_epi32_mask(v, t), lanes = hit | last;

	lookup_victim(s, last, victim);
	lanes ^= lanes - 1;
	v = _mm512_mask_alignr_epi32(v, (__mmask16)lanes, v, t, 15);
	_mm512_store_si512(s, v);
	return hit;
}
