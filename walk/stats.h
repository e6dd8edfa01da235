/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one row counts. Counters only; what is derived (MPKI, means, speed-ups)
 * is computed where it is shown. Warm-up is not in here: the core zeroes it
 * when counting starts.
 */
#pragma once

#include "lib/types.h"

#define STEPS	  48   /* references of the longest walk, prefetches apart */
#define LATENCIES 8192 /* cycles of a walk; longer ones count as the last */
#define DIM_MAX	  3

/* Where a reference hit. */
enum hit { HIT_L1, HIT_L2, HIT_L3, HIT_MEMORY, HITS };

/* What software does, because of the design or of the OS below it. */
enum charge {
	CHARGE_PAGE_FAULT,  /* the program's OS maps a page: no exit of it */
	CHARGE_NPT_FAULT,   /* exit: a hypervisor maps one */
	CHARGE_TABLE_WRITE, /* exit: a guest wrote a shadowed table */
	CHARGE_SHADOW_FILL, /* exit: the shadow lacked an entry */
	CHARGE_CR3,	    /* exit: CR3 load under shadow paging */
	CHARGE_INVLPG,	    /* exit: INVLPG under shadow paging */
	CHARGE_TEA,	    /* TEA work: allocation, migration; no exit */
	CHARGE_HYPERCALL,   /* exit: for TEAs; instructions have its cost */
	CHARGES
};

struct walk_memory {
	u64 frames[DIM_MAX]; /* bytes of mapped pages, per dimension */
	u64 tables[DIM_MAX]; /* bytes of radix tables */
	u64 teas[DIM_MAX];   /* of these, in TEAs */
	u64 extra;	     /* bytes of the design's shadows */
	u64 peak;	     /* most bytes of all tables at once, from the
			      * trace's begin, warm-up and all */
};

struct walk_stats {
	u64 accesses, instructions;
	u64 loads, stores, fetches;
	u64 itlb_misses, dtlb_misses, stlb_misses; /* the last = walks */
	u64 data_hit[HITS]; /* the program's own accesses, by level */
	u64 data_cycles;
	u64 walk_cycles;
	u64 refs;		  /* of all walks */
	u64 ref_hit[STEPS][HITS]; /* ... by step and level */
	u64 prefetches;
	u64 latency[LATENCIES]; /* walks by their cycles */
	u64 fallbacks;		/* walks that the design left to
				 * radix */
	u64 charge_times[CHARGES];
	u64 charge_instructions[CHARGES];
	u64 lost_blocks;
	struct walk_memory memory; /* at the end */
	double seconds;		   /* of this thread; not compared */
};
