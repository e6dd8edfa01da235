/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of bytes: kinds and gaps. Loops make them periodic, or of few
 * values; what fits neither is an exception of 3 bytes behind the column.
 */
#include <string.h>

#include "lib/nbt/encode.h"

#define PERIODS	  64  /* longest one that is looked for */
#define SAMPLE	  512 /* where it is looked for: the block's first bytes */
#define EXCEPTION 3
#define NONE	  0xf0 /* no index of 4 bits */

/* How often two bytes that are @period apart in the sample differ. */
static unsigned differ(const u8 *value, size_t n, size_t period)
{
	unsigned count = 0;

	for (size_t i = period; i < n; i++)
		count += value[i] != value[i - period];
	return count;
}

/* The period that fits the sample best, the shortest one of those. */
static size_t find_period(const u8 *value, size_t n)
{
	size_t best = 1;
	unsigned least = ~0u;

	if (n > SAMPLE)
		n = SAMPLE;
	for (size_t p = 1; p <= PERIODS && p < n && least; p++) {
		unsigned count = differ(value, n, p);

		if (count >= least)
			continue;
		least = count;
		best = p;
	}
	return best;
}

/* The byte that most of the sample's have at this place of the period, if most
 * have the same (Boyer and Moore's vote). */
static u8 vote(const u8 *value, size_t n, size_t at, size_t period)
{
	u8 leader = 0;
	unsigned lead = 0;

	for (size_t i = at; i < n && i < SAMPLE; i += period) {
		if (!lead)
			leader = value[i];
		lead += value[i] == leader ? 1 : -1u;
	}
	return leader;
}

static u8 *put_exception(u8 *out, size_t at, u8 value)
{
	*out++ = (u8)at;
	*out++ = (u8)(at >> 8);
	*out++ = value;
	return out;
}

/* Bytes of a comparison: a multiple of every period, but for the last. */
static size_t chunk_of(size_t period)
{
	return period * ((PERIODS + period - 1) / period);
}

/* Bytes written, or 0 if that would be more than @room. */
static size_t put_period(const u8 *value, size_t n, u8 *out, size_t room)
{
	size_t period = find_period(value, n), chunk = chunk_of(period);
	u8 *p = out + 1 + period, *end = out + room, want[2 * PERIODS];

	out[0] = (u8)(period - 1);
	for (size_t i = 0; i < period; i++)
		out[1 + i] = vote(value, n, i, period);
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = out[1 + i % period];
	for (size_t i = 0; i < n; i += chunk) {
		size_t k = n - i < chunk ? n - i : chunk;

		if (!memcmp(value + i, want, k))
			continue;
		for (size_t j = 0; j < k; j++) {
			if (value[i + j] == want[j])
				continue;
			if (end - p < EXCEPTION)
				return 0;
			p = put_exception(p, i + j, value[i + j]);
		}
	}
	return (size_t)(p - out);
}

/* How often each byte is there. In two halves: neighbours often are the same,
 * and an increment waits for the last. */
static void count_bytes(const u8 *value, size_t n, u32 count[256])
{
	u32 other[256] = {0};
	size_t half = n / 2;

	memset(count, 0, 256 * sizeof(*count));
	for (size_t i = 0; i < half; i++) {
		count[value[i]]++;
		other[value[half + i]]++;
	}
	if (n & 1)
		count[value[n - 1]]++;
	for (unsigned v = 0; v < 256; v++)
		count[v] += other[v];
}

/* The 16 values that are most frequent, the most frequent first; the index of
 * each into @index, NONE for all others. Returns how many bytes are others. */
static size_t rank(const u8 *value, size_t n, u8 top[16], u8 index[256])
{
	u32 count[256];
	size_t rest = n;

	count_bytes(value, n, count);
	memset(index, NONE, 256);
	for (u8 k = 0; k < 16; k++) {
		unsigned best = 0;

		for (unsigned v = 1; v < 256; v++)
			if (count[v] > count[best])
				best = v;
		top[k] = (u8)best;
		if (count[best])
			index[best] = k;
		rest -= count[best];
		count[best] = 0;
	}
	return rest;
}

/* The bytes that have no index: an exception each. */
static u8 *put_others(const u8 *value, size_t at, size_t n, const u8 *index,
		      u8 *p)
{
	for (size_t i = at; i < at + n; i++)
		if (index[value[i]] == NONE)
			p = put_exception(p, i, value[i]);
	return p;
}

/* As put_period(). */
static size_t put_nibbles(const u8 *value, size_t n, u8 *out, size_t room)
{
	size_t packed = nbt_round_up((n + 1) / 2, 16), i = 0;
	u8 index[256], *p = out + 16 + packed, *q = out + 16;
	size_t rest = rank(value, n, out, index);

	if (16 + packed + rest * EXCEPTION > room)
		return 0;
	for (; i + 1 < n; i += 2) {
		u8 low = index[value[i]], high = index[value[i + 1]];

		if ((low | high) & NONE)
			p = put_others(value, i, 2, index, p);
		*q++ = (u8)((low & 15) | high << 4);
	}
	if (i < n) {
		p = put_others(value, i, 1, index, p);
		*q++ = index[value[i]] & 15;
	}
	memset(q, 0, (size_t)(out + 16 + packed - q));
	return (size_t)(p - out);
}

size_t nbt_encode_bytes(const u8 *value, size_t n, u8 *code, u8 *out)
{
	size_t nibbles = 16 + nbt_round_up((n + 1) / 2, 16);
	size_t room = n < nibbles ? n : nibbles;
	size_t used = n > PERIODS ? put_period(value, n, out, room) : 0;

	*code = NBT_PERIOD;
	if (used)
		return used;
	*code = NBT_NIBBLE;
	used = put_nibbles(value, n, out, n);
	if (used)
		return used;
	*code = NBT_PLAIN;
	memcpy(out, value, n);
	return n;
}
