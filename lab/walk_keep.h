/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps finished rows in a file while `nestbox walk` runs, so that a run that
 * was interrupted, however, can go on. A row is a line of JSON with its
 * counters and a key of everything that they depend on: the trace's checksum,
 * design, environment, pages, machine, the options, and the program itself.
 * A line that is not whole (the machine went down) is as good as none.
 *
 * The file is locked: two runs do not share one. Not thread safe.
 */
#pragma once

#include "lab/walk_plan.h"

#define WALK_KEY_MAX 300

struct walk_keep {
	int fd; /* -1: not open */
	char path[512];
	u64 program; /* checksum of this program */
	bool remove; /* at the end, if all went well */
};

/* Reads the whole file @path. */
int walk_checksum(const char *path, u64 *sum, struct err *err);

/* Opens @path or, if it is NULL, a file of the cache folder whose name follows
 * from the checksums of the plan's traces. */
int walk_keep_open(struct walk_keep *k, const struct walk_plan *p,
		   const char *path, struct err *err);

/* Marks those rows as done that the file has, and gives them their counters.
 * Returns how many; < 0 if it cannot be read. */
int walk_keep_load(struct walk_keep *k, struct walk_plan *p, struct err *err);

/* Empties the file. */
int walk_keep_clear(struct walk_keep *k, struct err *err);

int walk_keep_row(struct walk_keep *k, const struct walk_row *row,
		  struct err *err);

/* @complete: the run has come to its end, and nothing is left to be done. */
void walk_keep_close(struct walk_keep *k, bool complete);

/* A row's key and its line, for the above and for tests. */
void walk_key(char key[WALK_KEY_MAX], const struct walk_row *row, u64 program);
char *walk_line(const struct walk_row *row, const char *key); /* free() it */

/* Takes a line if it has @key. Returns 1 if it has, 0 if it has not or is
 * none. */
int walk_take_line(const char *line, size_t length, const char *key,
		   struct walk_stats *out);
