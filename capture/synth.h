/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces made without a program: what the workloads of workload/, and two
 * servers, do to memory of any size, without touching so much. For `nestbox
 * capture --synth`. doc/workloads.md has the patterns and how far they agree
 * with captures of the programs.
 *
 * A trace has what the program would have: its VMAs, threads, instructions
 * between accesses. It begins where the program has filled its memory.
 */
#pragma once

#include "capture/limits.h"
#include "lib/err.h"

/*
 * @spec: NAME:SIZE[,threads=N][,operations=N][,seed=N], as "gups:128g" or
 * "btree:64m,threads=2". Without limit and operations, the program's own number
 * of these. Returns 0, or < 0 and *err; nothing stands under @out then.
 */
int synth_trace(const char *spec, const char *out,
		const struct capture_limits *limits, struct err *err);

/* NULL-ended. */
extern const char *const synth_names[];
