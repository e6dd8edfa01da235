/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial consoles: splits what a level prints into lines, takes out the
 * "@nestbox" lines of lab/level/init and prints the rest, each line with its
 * level in front ("L1| ..."). Output of a command that runs in the innermost
 * Linux is passed on as it is. Does no input and knows no processes.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define CONSOLE_LINE 4096 /* a longer one is split */
#define CONSOLE_LAST 12	  /* lines kept for a message about a failure */

/* What the levels have reported so far; shared by all consoles of a run. */
struct report {
	bool has_status; /* the innermost Linux: its command's status */
	int status;
	int exit_level; /* innermost level whose machine ended; 0: none did */
	int exit_code;	/* of its QEMU */
	char exit_reason[32];
	char failure[256]; /* a level gave up, why; or "" */
};

struct console {
	int level;
	FILE *lines;	       /* where lines go; NULL = nowhere */
	FILE *command;	       /* where a command's output goes */
	FILE *copy;	       /* every byte as it came, or NULL */
	struct report *report; /* NULL: a payload's, which reports nothing */
	/* private */
	bool in_command;
	bool newline_held; /* the command's last newline may be ours */
	size_t used;
	char line[CONSOLE_LINE];
	char last[CONSOLE_LAST][160];
	unsigned printed;
};

/* Takes the next @n bytes of the console. */
void console_feed(struct console *c, const char *bytes, size_t n);

/* The run is over: prints an unfinished last line. */
void console_end(struct console *c);

/* Prints the last lines again, for a run that failed in silence. */
void console_print_last(const struct console *c, FILE *to);
