/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas of addresses; encode_bytes.c has the columns of bytes. */
#include "lib/nbt/encode.h"

#include <string.h>

static u64 zigzag(u64 delta)
{
	return delta << 1 ^ (u64)((int64_t)delta >> 63);
}

/* 0 to 8. */
static unsigned bytes_of(u64 z)
{
	return z ? (71 - (unsigned)__builtin_clzll(z)) / 8 : 0;
}

/* What classes cost, given how many deltas have each length. */
static u64 cost(const u32 count[9], const u8 class[4])
{
	u64 sum = 0;

	for (unsigned length = 0, c = 0; length <= class[3]; length++) {
		while (class[c] < length)
			c++;
		sum += (u64)count[length] * class[c];
	}
	return sum;
}

/*
 * The 4 lengths that cost least; the largest is the longest delta's. At most
 * 165 of them are tried, for 65536 deltas.
 */
static void choose_classes(const u32 count[9], u8 best[4])
{
	u8 top = 8;
	u64 least = ~0ull;

	while (top && !count[top])
		top--;
	for (u8 a = 0; a <= top; a++) {
		for (u8 b = a; b <= top; b++) {
			for (u8 c = b; c <= top; c++) {
				u8 class[4] = {a, b, c, top};
				u64 now = cost(count, class);

				if (now >= least)
					continue;
				least = now;
				memcpy(best, class, 4);
			}
		}
	}
}

static void count_lengths(const u64 *z, size_t n, u32 count[9])
{
	memset(count, 0, 9 * sizeof(*count));
	for (size_t i = 0; i < n; i++)
		count[bytes_of(z[i])]++;
}

/* For each length, the smallest class that holds it. */
static void class_of_length(const u8 class[4], u8 of[9])
{
	for (unsigned length = 0, c = 0; length <= 8; length++) {
		while (c < 3 && class[c] < length)
			c++;
		of[length] = (u8)c;
	}
}

static u8 *put_deltas(const u64 *z, size_t n, const u8 class[4], u8 *out)
{
	u8 *data = out + n / 4, of[9];

	class_of_length(class, of);
	for (size_t i = 0; i < n; i += 4) {
		unsigned control = 0;

		for (unsigned j = 0; j < 4; j++) {
			unsigned c = of[bytes_of(z[i + j])];

			control |= c << 2 * j;
			memcpy(data, &z[i + j], 8);
			data += class[c];
		}
		out[i / 4] = (u8)control;
	}
	return data;
}

size_t nbt_encode_deltas(const u64 *value, size_t n, u64 *scratch, u8 class[4],
			 u8 *out)
{
	size_t padded = nbt_round_up(n, NBT_GROUP);
	u64 last = n ? value[0] : 0;
	u32 count[9];
	u8 *end;

	for (size_t i = 0; i < n; i++) {
		scratch[i] = zigzag(value[i] - last);
		last = value[i];
	}
	memset(scratch + n, 0, (padded - n) * sizeof(*scratch));
	count_lengths(scratch, padded, count);
	choose_classes(count, class);
	end = put_deltas(scratch, padded, class, out);
	memset(end, 0, NBT_SLACK);
	return (size_t)(end - out) + NBT_SLACK;
}
