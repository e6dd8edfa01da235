/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one stack from start to end: writes the job, starts the outer QEMU,
 * streams the consoles, waits for the end, the time limit or a signal, and
 * cleans up. Everything temporary lives in memfds and every process dies with
 * this one, so nothing is left behind however it ends.
 */
#pragma once

#include <stdio.h>

#include "lab/cache.h"
#include "lab/spec.h"

/* Where a run's text goes. */
struct run_output {
	FILE *guest;   /* the guest's console; NULL = nowhere */
	FILE *others;  /* the other levels' consoles; NULL = nowhere */
	FILE *command; /* output of a command in the innermost Linux */
	FILE *serial;  /* the guest's console byte by byte, or NULL */
};

/*
 * Returns 0 and the guest's own status (0..255) in @status: of the command,
 * or the value that a payload wrote to isa-debug-exit, 0 after power-off.
 * Returns < 0 if there is none: an error, a crash, a reset, the time limit, a
 * signal (@err says which). The consoles' last lines are printed then, if the
 * caller has not already seen them.
 */
int run_stack(const struct spec *s, const struct cache *c,
	      const struct run_output *out, int *status, struct err *err);

/* Fills in what the user left open and refuses what cannot work. */
int run_settle(struct spec *s, const struct cache *c, struct err *err);
