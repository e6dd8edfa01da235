/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/rnd.h"

#include "lib/hash.h"

static u64 state = 1; /* never 0 */

void rnd_seed(u64 seed)
{
	state = hash_word(HASH_START, seed) | 1;
}

/* Marsaglia's xorshift64*. */
u64 rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

u64 rnd_below(u64 n)
{
	return (rnd() >> 11) % n;
}

bool rnd_once_in(u64 n)
{
	return !rnd_below(n);
}
