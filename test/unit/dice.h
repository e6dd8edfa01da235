/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers of tests (xorshift64): the same from the same start, which is
 * never 0.
 */
#pragma once

#include "lib/types.h"

#define DICE_START 0x9e3779b97f4a7c15ull

static inline u64 dice_roll(u64 *dice)
{
	*dice ^= *dice << 13;
	*dice ^= *dice >> 7;
	*dice ^= *dice << 17;
	return *dice;
}

/* Below @n. */
static inline u64 dice_below(u64 *dice, u64 n)
{
	return (dice_roll(dice) >> 11) % n;
}

/* The same numbers, with all bits as good as the others (xorshift64*). */
static inline u64 dice_word(u64 *dice)
{
	return dice_roll(dice) * 0x2545f4914f6cdd1dull;
}
