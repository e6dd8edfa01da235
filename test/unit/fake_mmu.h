/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core of the modelled machine for tests of designs: mmu_ref() notes each
 * reference and takes as long as its address says. Nothing is cached but what
 * the design itself keeps.
 */
#pragma once

#include "walk/key.h"
#include "walk/mmu.h"
#include "walk/profile.h"

#define FAKE_REFS   64
#define FAKE_ALLOCS 64

struct fake_ref {
	unsigned step;
	u64 pa;
	u32 cycles;
};

struct fake {
	struct mmu mmu;
	struct profile profile;
	struct keys keys;
	struct walk_spec spec;
	struct walk_stats stats;
	struct fake_ref ref[FAKE_REFS]; /* of the last walk */
	unsigned refs;
	void *alloc[FAKE_ALLOCS];
	struct assoc *assoc[FAKE_ALLOCS];
	unsigned allocs, assocs;
};

/* A machine without PWCs whose hypervisors have pages of @host; start()
 * belongs to the caller. The second allocates frames. */
void fake_init(struct fake *f, enum env env, enum pages pages,
	       enum page_size host);
void fake_init_buddy(struct fake *f, enum env env, enum pages pages,
		     enum page_size host);
void fake_free(struct fake *f);

/* Gives the machine page-walk caches, before start(). */
void fake_add_pwcs(struct fake *f);

/* A system call, or mmap(), of process 1. */
#define ARGS(...) ((const u64[4]){__VA_ARGS__})
void fake_event(struct fake *f, u16 type, const u64 arg[4]);
void fake_map(struct fake *f, u64 at, u64 bytes);

/* Touches @at and walks it; returns the walk's cycles. */
u32 fake_walk(struct fake *f, const struct design *d, u64 at);

/* What a reference to @pa takes. */
u32 fake_cycles(u64 pa);
