/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload/memory.h as capture/synth.c has it: accesses are recorded, there is
 * no memory.
 */
#pragma once

#include "capture/limits.h"
#include "lib/nbt/nbt.h"
#include "lib/types.h"

/* What was remembered, to be freed. */
struct memory_block {
	struct memory_block *next;
	u64 zeros[];
};

struct memory {
	struct nbt_writer *w;
	const struct capture_limits *limits;
	u64 since; /* instructions behind the last access */
	struct limits_state state;
	u64 end; /* of the last mapping: the next is below */
	struct memory_block *blocks;
};

static inline bool memory_enough(const struct memory *m)
{
	return limits_reached(m->limits, &m->state);
}

static inline void memory_access(struct memory *m, u64 at, u8 kind)
{
	m->since++;
	if (memory_enough(m))
		return;
	if (limits_take(m->limits, &m->state))
		nbt_add(m->w, at, kind, m->since);
	m->since = 0;
}

#define MEMORY_KIND(what, T) \
	NBT_KIND(what, (unsigned)__builtin_ctz((unsigned)sizeof(T)))

#define LOAD(m, T, at, value) \
	(memory_access(m, at, MEMORY_KIND(NBT_LOAD, T)), (T)(value))
#define LOAD_ANY LOAD
#define STORE(m, T, at, value) \
	((void)(value), memory_access(m, at, MEMORY_KIND(NBT_STORE, T)))
#define WORK(m, n)	       ((void)((m)->since += (n)))
#define DECIDE(m, real, model) ((void)(m), (void)sizeof(real), (model))
#define MODEL(m, statement)    ((void)(m), (void)(statement))

u64 memory_map(struct memory *m, u64 bytes);
void *memory_remember(struct memory *m, u64 bytes);
