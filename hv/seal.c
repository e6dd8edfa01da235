/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/seal.h"

#include "hv/console.h"
#include "lib/hash.h"

extern const u8 image_start[], rodata_end[]; /* hv.ld: whole pages */

static u64 start;

u64 seal_start(void)
{
	return start;
}

u64 seal_now(void)
{
	u64 hash = HASH_START, end = (u64)rodata_end;

	for (u64 at = (u64)image_start; at < end; at += sizeof(u64))
		hash = hash_word(hash, *(const u64 *)at);
	return hash;
}

void seal_init(void)
{
	start = seal_now();
}

void seal_show(void)
{
	if (start)
		say("nestbox: text %s\n",
		    seal_now() == start ? "intact" : "CHANGED");
}
