/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what the instrument wrote (doc/instrument.md): a list of marks, each
 * with the counters of all CPUs added up at that moment. Pure but for memory.
 */
#pragma once

#include "capture/levels.h"
#include "lib/err.h"

#define COUNT_COLUMNS (sizeof(struct level_counts) / sizeof(u64))

struct mark {
	unsigned code; /* MARK_OP, MARK_BEGIN or MARK_END */
	unsigned cpu;  /* where it executed */
	struct level_counts counts;
};

struct counts {
	struct mark *marks;
	size_t n;
	struct level_counts end; /* at the end of the run */
	unsigned cpus;
};

/* Parses @text, which is changed; counts_free() the result. */
int counts_parse(struct counts *c, char *text, struct err *err);
void counts_free(struct counts *c);

/* @end - @begin, counter by counter. */
struct level_counts counts_between(const struct level_counts *begin,
				   const struct level_counts *end);

/* All levels' instructions. */
u64 counts_insns(const struct level_counts *c);
