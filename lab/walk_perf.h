/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `perf stat` says of page walks, as the text that it prints for people
 * or with -x and a separator: how much of its time a program waits for them.
 *
 *   Intel  dtlb_load_misses, dtlb_store_misses, itlb_misses, each with
 *          .walk_pending (walks under way, summed over cycles), or
 *          .walk_active, .walk_duration (cycles in which there are any)
 *   AMD    has no cycles of walks; ls_l1_d_tlb_miss.all_l2_miss and
 *          bp_l1_tlb_miss_l2_tlb_miss count walks
 *
 * and cycles. Pure functions.
 */
#pragma once

#include "lib/err.h"
#include "walk/profile.h"
#include "walk/stats.h"

struct walk_perf {
	double pending, active; /* cycles of walks; 0: not there */
	double walks;
	double cycles;
};

/* < 0 if @text lacks cycles, or all of the others. @file is for the error. */
int walk_perf_parse(struct walk_perf *p, const char *file, const char *text,
		    struct err *err);

/* Reads and parses @path. */
int walk_perf_load(struct walk_perf *p, const char *path, struct err *err);

/* The share f of walk/derive.h. Where only walks were counted, their latency is
 * the model's: that of @radix. */
double walk_perf_share(const struct walk_perf *p, const struct profile *profile,
		       const struct walk_stats *radix);
