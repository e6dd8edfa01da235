/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding with AVX-512 (VBMI), 8 accesses at a time: their 16 bits of class
 * choose which of the next 64 bytes goes where (VPERMB), and a mask with a bit
 * for each byte of the 8 lanes that is stored. With VPEXPANDB, which needs no
 * table, the loop takes three times as long on Zen 5.
 */
#include <immintrin.h>

#include "lib/nbt/format.h"
#include "lib/nbt/kernel.h"

#define AVX512 \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,popcnt")))

static bool supported(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi") &&
	       __builtin_cpu_supports("popcnt");
}

/* For the classes of 4 accesses: the place of each byte of their lanes, and
 * which bytes are stored at all. */
struct fours {
	u64 place[256][4];
	u32 mask[256];
};

static void make_fours(const u8 class[4], struct fours *f)
{
	for (unsigned c = 0; c < 256; c++) {
		u64 at = 0;

		f->mask[c] = 0;
		for (unsigned i = 0; i < 4; i++) {
			u8 bytes = class[c >> 2 * i & 3];

			f->place[c][i] =
				0x0706050403020100 + at * 0x0101010101010101;
			f->mask[c] |= ((1u << bytes) - 1) << 8 * i;
			at += bytes;
		}
	}
}

/* The deltas of 2 bytes of classes; advances @data. */
AVX512 static inline __m512i spread(const struct fours *f, const u8 control[2],
				    const u8 **data)
{
	u32 low = f->mask[control[0]], high = f->mask[control[1]];
	char low_bytes = (char)__builtin_popcount(low);
	const __m256i *place[] = {
		(const __m256i *)f->place[control[0]],
		(const __m256i *)f->place[control[1]],
	};
	__m512i v = _mm512_loadu_si512(*data);
	__m256i second = _mm256_add_epi8(_mm256_loadu_si256(place[1]),
					 _mm256_set1_epi8(low_bytes));
	__m512i places = _mm512_inserti64x4(
		_mm512_castsi256_si512(_mm256_loadu_si256(place[0])), second,
		1);

	*data += low_bytes + __builtin_popcount(high);
	return _mm512_maskz_permutexvar_epi8((u64)high << 32 | low, places, v);
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
	const u8 *control = d->control, *data = d->data, *end = d->end;
	u64 *stop = out + d->n;
	struct fours fours;

	make_fours(d->class, &fours);
	for (; out < stop; out += NBT_GROUP, control += 2) {
		__m512i v, all;

		if (end - data < NBT_SLACK)
			return NULL;
		_mm_prefetch((const char *)data + d->ahead, _MM_HINT_T0);
		v = sums(unzigzag(spread(&fours, control, &data)));
		all = _mm512_permutexvar_epi64(top, v);
		v = _mm512_add_epi64(last, v);
		last = _mm512_add_epi64(last, all);
		wide = _mm512_or_si512(
			wide, _mm512_xor_si512(v, _mm512_srai_epi64(v, 63)));
		_mm512_storeu_si512(out, v);
	}
	*width = (u64)_mm512_reduce_or_epi64(wide);
	return data;
}

/* 16 bytes to 32 values: AVX2 is fast enough (0.02 ns for each). */
static void nibbles(const u8 *in, const u8 value[16], u8 *out, size_t n)
{
	nbt_kernel_avx2.nibbles(in, value, out, n);
}

const struct nbt_kernel nbt_kernel_avx512 = {
	.name = "avx512",
	.supported = supported,
	.deltas = deltas,
	.nibbles = nibbles,
};
