/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas of addresses; encode_bytes.c has the columns of bytes. */
#include "lib/nbt/encode.h"

#include <string.h>

static u64 zigzag(u64 delta)
{
	return delta << 1 ^ -(delta >> 63);
}

/* 0 to 64. */
static unsigned bits_of(u64 z)
{
	return 63 - (unsigned)__builtin_clzll(z | 1) + (z != 0);
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

/* How many deltas have each length. Two counters for each number of bits:
 * neighbours often have the same, and an increment waits for the last. */
static void count_lengths(const u64 *z, size_t n, u32 count[9])
{
	u32 even[65] = {0}, odd[65] = {0};

	for (size_t i = 0; i < n; i += 2) {
		even[bits_of(z[i])]++;
		odd[bits_of(z[i + 1])]++;
	}
	memset(count, 0, 9 * sizeof(*count));
	for (unsigned bits = 0; bits <= 64; bits++)
		count[(bits + 7) / 8] += even[bits] + odd[bits];
}

/* For each number of bits, the smallest class that holds it. */
static void class_of_bits(const u8 class[4], u8 of[65])
{
	for (int c = 3; c >= 0; c--)
		memset(of, c, 8 * class[c] + 1u);
}

static u8 *put_deltas(const u64 *z, size_t n, const u8 class[4], u8 *out)
{
	u8 *data = out + n / 4, of[65];
	size_t length[4] = {class[0], class[1], class[2], class[3]};

	class_of_bits(class, of);
	for (size_t i = 0; i < n; i += 4) {
		unsigned control = 0;

		for (unsigned j = 0; j < 4; j++) {
			unsigned c = of[bits_of(z[i + j])];

			control |= c << 2 * j;
			memcpy(data, &z[i + j], 8);
			data += length[c];
		}
		out[i / 4] = (u8)control;
	}
	return data;
}

/* Their distances, the last group filled up with zeros. */
static void subtract(const u64 *value, size_t n, u64 *z)
{
	if (n)
		z[0] = 0;
	for (size_t i = 1; i < n; i++)
		z[i] = zigzag(value[i] - value[i - 1]);
	memset(z + n, 0, (nbt_round_up(n, NBT_GROUP) - n) * sizeof(*z));
}

size_t nbt_encode_deltas(const u64 *value, size_t n, u64 *scratch, u8 class[4],
			 u8 *out)
{
	size_t padded = nbt_round_up(n, NBT_GROUP);
	u32 count[9];
	u8 *end;

	subtract(value, n, scratch);
	count_lengths(scratch, padded, count);
	choose_classes(count, class);
	end = put_deltas(scratch, padded, class, out);
	memset(end, 0, NBT_SLACK);
	return (size_t)(end - out) + NBT_SLACK;
}
