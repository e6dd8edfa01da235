/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine: geometries, latencies, policies. Read from an INI file in
 * walk/profiles/, which are part of the program, or given by --profile FILE,
 * and checked once, when loaded: behind that every number is legal. The
 * profiles' comments name the source of each parameter.
 */
#pragma once

#include "lib/err.h"
#include "lib/types.h"
#include "walk/addr.h"
#include "walk/assoc.h"

struct geometry {
	u32 entries, ways; /* entries = 0: not there; ways = entries: fully */
	enum policy policy;
	u32 cycles; /* latency of a hit; of data caches, from the core */
};

#define PWC_LEVELS 4 /* entries of table levels 2..5 */

/* The level at which table entries enter the data caches. */
enum entry { ENTRY_L1 = 1, ENTRY_L2, ENTRY_L3 };

struct profile {
	char name[64];
	char source[256];
	struct geometry itlb[PAGE_SIZES], dtlb[PAGE_SIZES];
	struct geometry stlb[PAGE_SIZES]; /* shared: see stlb_shared */
	bool stlb_shared[PAGE_SIZES];	  /* this size lives in stlb[SIZE_4K] */
	struct geometry pwc[PWC_LEVELS], npwc[PWC_LEVELS]; /* host: nested */
	struct geometry ntlb; /* GPA page -> HPA; entries = 0: none */
	struct geometry l1i, l1d, l2, l3; /* entries: lines */
	bool l3_inclusive;
	u32 memory_cycles;
	enum entry pte_entry;
	u32 levels; /* of page tables: 4 or 5 */
	u32 cores, walkers;
	bool asids; /* TLBs keep entries over a switch of address spaces */
	double cpi; /* cycles per instruction besides memory: the app model */
	u32 exit_cycles, npt_exit_cycles; /* cost model of exits: a guess
					   * with its source in the file */
};

/* By name (skylake-dmt ...) or, with a '/' or a '.' in it, from a file. */
int profile_load(struct profile *p, const char *name, struct err *err);

/* From the text of an INI file; @file names it in errors. */
int profile_parse(struct profile *p, const char *file, const char *text,
		  struct err *err);

/* Checks a profile that was made or changed by a program. */
int profile_check(const struct profile *p, struct err *err);

/* The profiles that are part of the program, by number; NULL behind the
 * last one. */
const char *profile_name(size_t i);
