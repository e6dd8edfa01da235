/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding with AVX-512 (VBMI2), 8 accesses at a time: their 16 bits of class
 * become a mask with a bit for each byte of the 8 lanes that is stored, and
 * VPEXPANDB puts the bytes there.
 */
#include <immintrin.h>

#include "lib/nbt/format.h"
#include "lib/nbt/kernel.h"

#define AVX512 \
	__attribute__((target("avx512f,avx512bw,avx512vbmi2,avx2,popcnt")))

static bool supported(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vbmi2") &&
	       __builtin_cpu_supports("popcnt");
}

/* For the classes of 4 accesses: which bytes of their lanes are stored. */
static void make_masks(const u8 class[4], u32 mask[256])
{
	for (unsigned c = 0; c < 256; c++) {
		mask[c] = 0;
		for (unsigned i = 0; i < 4; i++) {
			unsigned ones = (1u << class[c >> 2 * i & 3]) - 1;

			mask[c] |= ones << 8 * i;
		}
	}
}

AVX512 static inline __m512i unzigzag(__m512i z)
{
	__m512i sign = _mm512_and_si512(z, _mm512_set1_epi64(1));

	return _mm512_xor_si512(_mm512_srli_epi64(z, 1),
				_mm512_sub_epi64(_mm512_setzero_si512(), sign));
}

/* Each lane plus all lanes below it. */
AVX512 static inline __m512i sums(__m512i v)
{
	__m512i zero = _mm512_setzero_si512();

	v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 7));
	v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 6));
	return _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 4));
}

AVX512 static const u8 *deltas(const struct nbt_deltas *d, u64 *out, u64 *width)
{
	__m512i last = _mm512_set1_epi64((long long)d->base);
	__m512i wide = _mm512_setzero_si512();
	__m512i top = _mm512_set1_epi64(7);
	const u8 *data = d->data;
	u32 mask[256];

	make_masks(d->class, mask);
	for (size_t i = 0; i < d->n; i += NBT_GROUP) {
		u64 bytes = mask[d->control[i / 4]] |
			    (u64)mask[d->control[i / 4 + 1]] << 32;
		__m512i v, all;

		if (d->end - data < NBT_SLACK)
			return NULL;
		v = _mm512_maskz_expand_epi8(bytes, _mm512_loadu_si512(data));
		data += __builtin_popcountll(bytes);
		v = sums(unzigzag(v));
		all = _mm512_permutexvar_epi64(top, v);
		v = _mm512_add_epi64(last, v);
		last = _mm512_add_epi64(last, all);
		wide = _mm512_or_si512(
			wide, _mm512_xor_si512(v, _mm512_srai_epi64(v, 63)));
		_mm512_storeu_si512(out + i, v);
	}
	*width = (u64)_mm512_reduce_or_epi64(wide);
	return data;
}

/* 16 bytes to 32 values: AVX2 is fast enough (0.02 ns for each). */
AVX512 static void nibbles(const u8 *in, const u8 value[16], u8 *out, size_t n)
{
	nbt_kernel_avx2.nibbles(in, value, out, n);
}

const struct nbt_kernel nbt_kernel_avx512 = {
	.name = "avx512",
	.supported = supported,
	.deltas = deltas,
	.nibbles = nibbles,
};
