/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the rows of a plan on threads, and says on stderr how far it is. A
 * row's counters do not depend on how many threads there are. A row that fails
 * has its reason; the others go on.
 *
 * SIGINT and SIGTERM end it after the blocks that are being replayed; rows that
 * are done by then stay done. Both are blocked in the calling thread from here
 * on, and so is SIGUSR1, by which threads wake it.
 */
#pragma once

#include "lab/walk_plan.h"

struct walk_keep;

struct walk_work {
	struct walk_plan *plan;
	struct walk_keep *keep; /* rows that are done go there; or NULL */
	unsigned jobs;
	bool quiet;
};

/* Runs what is not done. < 0: counters could not be kept where the user wants
 * them, or *@signal ended it (0 otherwise). */
int walk_work(const struct walk_work *w, int *signal, struct err *err);
