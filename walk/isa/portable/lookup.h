/* SPDX-License-Identifier: Apache-2.0 */
/* The look-ups of walk/isa/avx512/lookup.h for any CPU. */
#pragma once

#include "lib/types.h"

static inline bool lookup_any(u32 *s, u32 tag, u32 last, u32 *victim)
{
	u32 way = 0, ways = (u32)__builtin_ctz(last) + 1;
	bool hit;

	while (way < ways - 1 && s[way] != tag)
		way++;
	hit = s[way] == tag;
	if (victim)
		*victim = s[ways - 1];
	for (; way; way--)
		s[way] = s[way - 1];
	s[0] = tag;
	return hit;
}

static inline bool lookup_4(u32 *s, u32 tag, u32 last, u32 *victim)
{
	return lookup_any(s, tag, last, victim);
}

static inline bool lookup_8(u32 *s, u32 tag, u32 last, u32 *victim)
{
	return lookup_any(s, tag, last, victim);
}

static inline bool lookup_16(u32 *s, u32 tag, u32 last, u32 *victim)
{
	return lookup_any(s, tag, last, victim);
}
