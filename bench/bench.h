/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bench/decode and bench/walk share: the clock, how they give up, traces
 * of patterns in files in memory.
 */
#pragma once

#include "bench/pattern.h"
#include "lib/nbt/nbt.h"

/* Seconds of CPU time that the process has used. */
double bench_now(void);

/* Says what is wrong, with the program's name, and exits. */
void bench_die(const char *what) __attribute__((noreturn));

/* Writes accesses to a trace. */
void bench_write(const struct accesses *a, const struct nbt_info *info,
		 const char *path);

/* Measures @only, or each pattern if that is NULL: its first @n accesses, with
 * a path for a trace of them. */
typedef void bench_measure(const char *pattern, const struct accesses *a,
			   const char *path, const void *ctx);
void bench_patterns(const char *only, size_t n, bench_measure *measure,
		    const void *ctx);
