/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the instrument's marks and the microbenchmark's serial text to what
 * each operation costs. Pure but for memory.
 *
 * A window is what happened between MARK_BEGIN and MARK_END on all CPUs, less
 * the same for the operation "empty". Windows that a timer interrupt of a
 * hypervisor hit are told by having more ticks than the operation's least, and
 * are kept apart.
 */
#pragma once

#include "lab/counts.h"

#define MAX_OPS 32

struct spread {
	u64 min, median, max;
};

struct op_result {
	char name[24];
	char skipped[80]; /* why it did not run here, or "" */
	size_t windows;	  /* undisturbed */
	size_t ticked;	  /* hit by a tick */
	struct spread insns, ticked_insns, switches, reflections;
	struct level_counts typical; /* of the window with the median */
};

struct micro_result {
	struct op_result op[MAX_OPS];
	size_t n;
};

/* Joins both; the order of "op" lines in @serial is that of MARK_OPs. */
int micro_analyse(struct micro_result *m, const struct counts *c,
		  const char *serial, struct err *err);

/* The operation called @name that ran, or NULL. */
const struct op_result *micro_find(const struct micro_result *m,
				   const char *name);

/* Exits that L0 handed to a higher level. */
u64 micro_reflections(const struct level_counts *c);
