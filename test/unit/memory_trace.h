/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces in memory, behind lib/nbt's interface for readers: what tests of walk/
 * replay. Linked instead of lib/nbt.
 */
#pragma once

#include "lib/nbt/nbt.h"

struct nbt_reader {
	struct nbt_info info;
	size_t count; /* of accesses */
	u32 block;    /* accesses of a block; 0 = NBT_BLOCK */
	u64 *addr;
	u8 *kind;		 /* NULL: all are loads */
	u8 *gap;		 /* NULL: all 1 */
	struct nbt_run *run;	 /* by number of access in the trace */
	size_t runs;		 /* 0: one thread, one process */
	struct nbt_event *event; /* the same */
	size_t events;
	size_t damaged; /* number of a block that cannot be read, plus one */
};
