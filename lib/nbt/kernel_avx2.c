/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding with AVX2, 4 accesses at a time: their 8 bits of class choose how
 * twice up to 16 bytes are spread over two 64-bit lanes (VPSHUFB).
 */
#include <immintrin.h>

#include "lib/nbt/format.h"
#include "lib/nbt/kernel.h"

#define AVX2 __attribute__((target("avx2")))

static bool supported(void)
{
	return __builtin_cpu_supports("avx2");
}

/* For the classes of 4 accesses: where the bytes of the first two deltas and
 * of the other two go (0x80: a zero), how many the first have, and all. */
struct fours {
	u64 shuffle[256][4];
	struct {
		u8 half, all;
	} bytes[256];
};

/* The shuffle for one lane: the bytes from @at on, zeros from @bytes on. */
static u64 lane(u64 at, u8 bytes)
{
	u64 all = 0x0706050403020100 + at * 0x0101010101010101;
	u64 zeros = bytes < 8 ? 0x8080808080808080 << 8 * bytes : 0;

	return all | zeros;
}

static void make_fours(const u8 class[4], struct fours *f)
{
	for (unsigned c = 0; c < 256; c++) {
		u8 at = 0;

		for (unsigned i = 0; i < 4; i++) {
			u8 bytes = class[c >> 2 * i & 3];

			if (i == 2) {
				f->bytes[c].half = at;
				at = 0;
			}
			f->shuffle[c][i] = lane(at, bytes);
			at += bytes;
		}
		f->bytes[c].all = f->bytes[c].half + at;
	}
}

/* The deltas of one byte of classes; advances @data. */
AVX2 static inline __m256i spread(const struct fours *f, unsigned control,
				  const u8 **data)
{
	const u8 *low = *data, *high = low + f->bytes[control].half;
	__m256i v = _mm256_set_m128i(_mm_loadu_si128((const __m128i *)high),
				     _mm_loadu_si128((const __m128i *)low));

	*data += f->bytes[control].all;
	return _mm256_shuffle_epi8(
		v, _mm256_loadu_si256((const __m256i *)f->shuffle[control]));
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

/* What is the same for all accesses, and what goes from one to the next. */
struct state {
	__m256i last, wide;
	const u8 *data;
};

AVX2 static inline void four(const struct fours *f, u8 control, u64 *out,
			     struct state *s)
{
	__m256i v = sums(unzigzag(spread(f, control, &s->data)));
	__m256i all = _mm256_permute4x64_epi64(v, 0xff);

	v = _mm256_add_epi64(s->last, v);
	s->last = _mm256_add_epi64(s->last, all);
	s->wide = widen(s->wide, v);
	_mm256_storeu_si256((__m256i *)out, v);
}

AVX2 static const u8 *deltas(const struct nbt_deltas *d, u64 *out, u64 *width)
{
	struct state s = {
		.last = _mm256_set1_epi64x((long long)d->base),
		.wide = _mm256_setzero_si256(),
		.data = d->data,
	};
	const u8 *control = d->control, *end = d->end;
	u64 *stop = out + d->n;
	struct fours fours;

	make_fours(d->class, &fours);
	for (; out < stop; out += NBT_GROUP, control += 2) {
		if (end - s.data < NBT_SLACK)
			return NULL;
		_mm_prefetch((const char *)s.data + d->ahead, _MM_HINT_T0);
		four(&fours, control[0], out, &s);
		four(&fours, control[1], out + 4, &s);
	}
	*width = any(s.wide);
	return s.data;
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
