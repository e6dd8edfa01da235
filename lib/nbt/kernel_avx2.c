/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding with AVX2, 4 accesses at a time: their 8 bits of class choose two
 * shuffles, each of which spreads up to 16 bytes over two 64-bit lanes.
 */
#include <immintrin.h>

#include "lib/nbt/format.h"
#include "lib/nbt/kernel.h"

#define AVX2 __attribute__((target("avx2")))

static bool supported(void)
{
	return __builtin_cpu_supports("avx2");
}

/* For each pair of classes: where the bytes of the two deltas go (0x80: a
 * zero), and how many they are. */
struct pairs {
	__m128i shuffle[16];
	u8 bytes[16];
};

AVX2 static void make_pairs(const u8 class[4], struct pairs *p)
{
	for (int c = 0; c < 16; c++) {
		u8 low = class[c & 3], high = class[c >> 2];
		u8 spread[16];

		for (int i = 0; i < 8; i++) {
			spread[i] = i < low ? (u8)i : 0x80;
			spread[8 + i] = i < high ? (u8)(low + i) : 0x80;
		}
		p->shuffle[c] = _mm_loadu_si128((const __m128i *)spread);
		p->bytes[c] = low + high;
	}
}

/* The deltas of one byte of classes; advances @data. */
AVX2 static inline __m256i spread(const struct pairs *p, unsigned control,
				  const u8 **data)
{
	unsigned c0 = control & 15, c1 = control >> 4;
	const u8 *second = *data + p->bytes[c0];
	__m128i low = _mm_loadu_si128((const __m128i *)*data);
	__m128i high = _mm_loadu_si128((const __m128i *)second);

	*data = second + p->bytes[c1];
	return _mm256_set_m128i(_mm_shuffle_epi8(high, p->shuffle[c1]),
				_mm_shuffle_epi8(low, p->shuffle[c0]));
}

AVX2 static inline __m256i unzigzag(__m256i z)
{
	__m256i sign = _mm256_and_si256(z, _mm256_set1_epi64x(1));

	return _mm256_xor_si256(_mm256_srli_epi64(z, 1),
				_mm256_sub_epi64(_mm256_setzero_si256(), sign));
}

/* a, a+b, a+b+c, a+b+c+d */
AVX2 static inline __m256i sums(__m256i v)
{
	__m256i pairs = _mm256_add_epi64(v, _mm256_slli_si256(v, 8));
	__m256i low = _mm256_permute4x64_epi64(pairs, 0x55);
	__m256i zero = _mm256_setzero_si256();

	return _mm256_add_epi64(pairs, _mm256_blend_epi32(zero, low, 0xf0));
}

AVX2 static inline __m256i widen(__m256i wide, __m256i v)
{
	__m256i sign = _mm256_cmpgt_epi64(_mm256_setzero_si256(), v);

	return _mm256_or_si256(wide, _mm256_xor_si256(v, sign));
}

AVX2 static u64 any(__m256i v)
{
	u64 lane[4];

	_mm256_storeu_si256((__m256i *)lane, v);
	return lane[0] | lane[1] | lane[2] | lane[3];
}

AVX2 static const u8 *deltas(const struct nbt_deltas *d, u64 *out, u64 *width)
{
	__m256i last = _mm256_set1_epi64x((long long)d->base);
	__m256i wide = _mm256_setzero_si256();
	const u8 *data = d->data;
	struct pairs pairs;

	make_pairs(d->class, &pairs);
	for (size_t i = 0; i < d->n; i += NBT_GROUP) {
		if (d->end - data < NBT_SLACK)
			return NULL;
		for (size_t j = i; j < i + NBT_GROUP; j += 4) {
			__m256i v = sums(unzigzag(
				spread(&pairs, d->control[j / 4], &data)));
			__m256i all = _mm256_permute4x64_epi64(v, 0xff);

			v = _mm256_add_epi64(last, v);
			last = _mm256_add_epi64(last, all);
			wide = widen(wide, v);
			_mm256_storeu_si256((__m256i *)(out + j), v);
		}
	}
	*width = any(wide);
	return data;
}

AVX2 static void nibbles(const u8 *in, const u8 value[16], u8 *out, size_t n)
{
	__m128i values = _mm_loadu_si128((const __m128i *)value);
	__m128i mask = _mm_set1_epi8(15);

	for (size_t i = 0; i < n; i += 32) {
		__m128i v = _mm_loadu_si128((const __m128i *)(in + i / 2));
		__m128i even = _mm_and_si128(v, mask);
		__m128i odd = _mm_and_si128(_mm_srli_epi16(v, 4), mask);

		even = _mm_shuffle_epi8(values, even);
		odd = _mm_shuffle_epi8(values, odd);
		_mm_storeu_si128((__m128i *)(out + i),
				 _mm_unpacklo_epi8(even, odd));
		_mm_storeu_si128((__m128i *)(out + i + 16),
				 _mm_unpackhi_epi8(even, odd));
	}
}

const struct nbt_kernel nbt_kernel_avx2 = {
	.name = "avx2",
	.supported = supported,
	.deltas = deltas,
	.nibbles = nibbles,
};
