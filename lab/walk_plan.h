/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one `nestbox walk` computes: its traces and its rows, one for each
 * trace, environment, policy of page sizes and design, in the order in which
 * they are shown. Rows of combinations that a paper does not define have a
 * reason instead of counters.
 *
 * Made by cmd_walk.c, filled by lab/walk_work.h and lab/walk_keep.h, shown by
 * lab/walk_show.h. Errors: < 0 and one line.
 */
#pragma once

#include "lab/walk_perf.h"
#include "walk/walk.h"

struct walk_trace {
	const char *path;
	struct nbt_reader *reader;
	u64 checksum; /* of the file */
};

struct walk_row {
	const struct walk_trace *trace;
	struct walk_spec spec;
	const char *refusal;	/* or NULL */
	struct walk_row *radix; /* same trace, environment and pages */
	bool implied;		/* radix, which nobody asked for */
	bool done;		/* stats are valid */
	char failure[200];	/* why it could not be computed, or "" */
	struct walk_stats stats;
};

/* What was asked for; lists as they were typed, separated by commas. */
struct walk_wish {
	const char *designs, *envs, *pages; /* "all" is every one */
	struct walk_spec spec;		    /* what is the same in all rows */
};

struct walk_plan {
	struct profile profile;
	struct walk_trace *traces;
	size_t trace_count;
	struct walk_row *rows;
	size_t row_count;
	bool implied;  /* some row is */
	bool has_perf; /* --perf was given */
	struct walk_perf perf;
};

/* Opens the traces @paths and lists the rows. walk_plan_free() frees it, also
 * after an error. */
int walk_plan_make(struct walk_plan *p, const struct walk_wish *wish,
		   char *const *paths, size_t count, struct err *err);
void walk_plan_free(struct walk_plan *p);

/* Which of @names (ended by NULL) the list @text has, as bits, the first name
 * the lowest; @what ("design") for the error. */
int walk_parse_list(u64 *bits, const char *text, const char *const *names,
		    const char *what, struct err *err);

/* Accesses that a row will replay, damage apart. */
u64 walk_row_accesses(const struct walk_row *r);

/* Blocks that a row is without: those that could not be decoded, and those that
 * a file without its index lacks. */
u64 walk_row_lost(const struct walk_row *r);
