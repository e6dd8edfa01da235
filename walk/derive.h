/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from a row's counters. Pure functions; a ratio whose divisor is
 * 0 is 0.
 *
 * The application speed-up is the papers' (DMT, ASPLOS'24, section 5):
 * 1 / ((1 - f) + f * ratio), where f is the share of its time that a program
 * waits for walks in the baseline, and ratio what is left of that. f comes from
 * `perf stat`, or from the model
 *
 *	cycles = instructions * cpi + data cycles above L1 hits
 *		 + walk cycles / walkers
 *
 * which overlaps nothing with anything: an upper bound of f. Exits are left out
 * of it, as the papers do: a trace that touches each page once or twice would
 * be nothing else. model_cycles() has them.
 */
#pragma once

#include "walk/profile.h"
#include "walk/stats.h"

double mpki(u64 misses, const struct walk_stats *s);
double refs_per_walk(const struct walk_stats *s);
double mean_latency(const struct walk_stats *s);

/* The smallest number of cycles that @share (0..1) of the walks do not
 * exceed. */
u32 latency_percentile(const struct walk_stats *s, double share);

/* Whether what @cause counts leaves a guest. */
bool charge_exits(enum charge cause);

/* Cycles per walk of @base over those of @s: the walk speed-up. */
double walk_speedup(const struct walk_stats *base, const struct walk_stats *s);

/* Cycles of walks, of exits, and of all with both. */
double model_walk_cycles(const struct walk_stats *s, const struct profile *p);
double model_exit_cycles(const struct walk_stats *s, const struct profile *p);
double model_cycles(const struct walk_stats *s, const struct profile *p);

/* The share f of @s by the model. */
double walk_share(const struct walk_stats *s, const struct profile *p);

/* @f: the baseline's share; @ratio: walk cycles of a design over those of the
 * baseline. */
double app_speedup(double f, double ratio);
