/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 64-bit checksum, a word at a time: FNV-1a's step with a fold, so that
 * upper bits reach lower ones. A step is one-to-one: two texts that differ in
 * one word never have the same sum. Nothing for secrets that others choose.
 */
#pragma once

#include "lib/types.h"

#define HASH_START 0xcbf29ce484222325ull
#define HASH_PRIME 0x00000100000001b3ull

static inline u64 hash_word(u64 hash, u64 word)
{
	hash = (hash ^ word) * HASH_PRIME;
	return hash ^ hash >> 32;
}
