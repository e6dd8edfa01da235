/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The translation simulator: replays a trace through TLBs, page-walk caches
 * and data caches with one design's walker. One call of walk_run() makes one
 * row: a design in an environment with a policy of page sizes.
 *
 * Rows share nothing but the trace's reader, so that any number of them may
 * run at once and the result does not depend on how many do.
 *
 *   trace -> decode -> key -> L1 TLB -> STLB -> design's walker -> caches
 *                                                             data ----^
 *
 * Each row has its own caches, TLBs and tables: no design is computed by
 * arithmetic from another's walk. doc/walk.md has the model's simplifications
 * and shows how to add a design.
 */
#pragma once

#include "lib/err.h"
#include "lib/nbt/nbt.h"
#include "lib/types.h"
#include "walk/profile.h"
#include "walk/stats.h"

/* Where the traced program runs: on the machine, in a guest (L1), in a guest
 * of a guest (L2). */
enum env { ENV_NATIVE, ENV_VIRT, ENV_NESTED, ENVS };

/* Page sizes of the program's and of the hypervisors' mappings. */
enum pages {
	PAGES_4K,  /* only base pages */
	PAGES_THP, /* 2 MiB where a VMA covers one whole, else 4 KiB */
	PAGES_2M,  /* everything in 2 MiB pages */
	PAGES_MODES
};

/* Where frames and tables lie in memory. */
enum frames {
	FRAMES_COMPUTED, /* by arithmetic: no memory per page */
	FRAMES_BUDDY,	 /* first touch takes a frame of a buddy allocator */
};

struct walk_spec {
	const struct design *design;
	enum env env;
	enum pages pages;
	enum frames frames;
	const struct profile *profile;
	u64 skip;  /* accesses that warm up and are not counted */
	u64 limit; /* accesses to count after that; 0 = all */
	u64 seed;  /* of everything that is placed at random */
	unsigned threads_per_core; /* 0 = all threads on one core */
	struct keys *keys; /* of walk_run(); its callers leave it NULL */
};

/* Called now and then from walk_run() with the accesses done so far; a value
 * other than 0 ends the run with that error. */
struct walk_progress {
	int (*report)(void *ctx, u64 accesses);
	void *ctx;
};

/*
 * Replays the trace of @r. Returns 0 and fills @out, or < 0: the design is not
 * defined for that environment, the address space is larger than the model's,
 * memory ran out, or @progress ended it. Damaged blocks are skipped and counted
 * in @out.
 */
int walk_run(const struct nbt_reader *r, const struct walk_spec *spec,
	     const struct walk_progress *progress, struct walk_stats *out,
	     struct err *err);

/* NULL, or why @d does not run in @env: one line that names the paper. */
const char *walk_refusal(const struct design *d, enum env env);

/* The designs, ended by NULL, in the order in which tables show them. */
extern const struct design *const walk_designs[];
const struct design *walk_find_design(const char *name);

extern const char *const env_name[ENVS];
extern const char *const pages_name[PAGES_MODES];

/* Which build of the core runs: "avx512", "avx2", "portable"; and another one
 * by name, for tests and benchmarks (< 0 if this CPU cannot). */
const char *walk_isa(void);
int walk_choose_isa(const char *name);
