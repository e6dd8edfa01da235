/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that does not outlive this program, however either ends: it
 * leads its own process group and is killed with its parent.
 */
#pragma once

#include <sys/types.h>

#include "lib/err.h"

struct process {
	pid_t pid;
	int pidfd; /* readable when the process has ended */
};

/* Starts @argv with stdin from /dev/null, stdout and stderr to @output; all
 * other descriptors without close-on-exec are inherited. */
int process_start(struct process *p, char *const *argv, int output,
		  struct err *err);

/* Waits for it to end by itself: returns a wait status. */
int process_wait(struct process *p);

/* Ends it, gently first. Harmless if it has ended. */
void process_kill(struct process *p);
