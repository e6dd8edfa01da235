/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows the rows of a plan: as a table for people, as JSON, as CSV; and what
 * there is to choose from. Nothing here computes but by walk/derive.h.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "lab/walk_plan.h"

/* What follows from a row's counters and from those of its radix row. A figure
 * that is not defined (nothing to compare with, a divisor of 0) is < 0. */
struct walk_figures {
	double walk_speedup;
	double share; /* f: of its time that radix spends walking */
	double app_speedup;
	double run_speedup; /* by the model's cycles, with those of exits */
	double rate;	    /* accesses per second */
	u64 exits;
	u64 tables, tables_peak; /* bytes: at the end, and the most */
};
void walk_figures(struct walk_figures *f, const struct walk_plan *p,
		  const struct walk_row *r);

/* Says of @share and the speed-up that follows where they come from. */
const char *walk_share_source(const struct walk_plan *p);

void walk_print_table(const struct walk_plan *p, FILE *to);

/* Where the references of each row's walks hit, step by step. */
void walk_print_anatomy(const struct walk_plan *p, FILE *to);

/* {"rows": [...]}; the caller owns the reference. */
json_t *walk_json(const struct walk_plan *p);

/* A line of names, then a line for each row: JSON's members, but those that are
 * lists. */
void walk_print_csv(const struct walk_plan *p, FILE *to);

/* Designs, environments, profiles. */
void walk_print_list(FILE *to);
