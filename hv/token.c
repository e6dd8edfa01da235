/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/token.h"

#include "lib/cpu.h"
#include "lib/hash.h"

#define CPUID_RDRAND  0x40000000u /* leaf 1, ECX */
#define RDRAND_TRIES  10	  /* AMD and Intel: more do not help */
#define PIT_CHANNEL_0 0x40
#define PIT_READS     64

static struct {
	bool drawn;
	u64 half[2];
} token;

static bool from_cpu(u64 *value)
{
	bool have = false;

	if (!(cpuid(1, 0).ecx & CPUID_RDRAND))
		return false;
	for (unsigned i = 0; i < RDRAND_TRIES && !have; i++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(have));
	return have;
}

/* Without RDRAND: the time since power-on, and how long slow reads of a device
 * with another clock take. Far fewer bits than 64 (doc/caveats.md). */
static u64 from_time(void)
{
	u64 hash = HASH_START;

	for (unsigned i = 0; i < PIT_READS; i++)
		hash = hash_word(hash, rdtsc() ^ (u64)inb(PIT_CHANNEL_0) << 56);
	return hash;
}

void token_draw(u64 to[2])
{
	for (unsigned i = 0; i < ARRAY_SIZE(token.half); i++) {
		if (!from_cpu(&token.half[i]))
			token.half[i] = from_time();
		to[i] = token.half[i];
	}
	token.drawn = true;
}

/* Takes the same time for every guess. */
bool token_is(u64 first, u64 second)
{
	return token.drawn &
	       !((first ^ token.half[0]) | (second ^ token.half[1]));
}
