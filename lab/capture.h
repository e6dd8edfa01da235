/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `nestbox capture` does, one function for each of its modes. Called by
 * lab/cmd_capture.c once; they print what they were asked for to stdout and
 * progress to stderr. Errors: < 0 and a line.
 */
#pragma once

#include "capture/limits.h"
#include "lab/args.h"
#include "lib/err.h"

enum capture_how {
	CAPTURE_PLUGIN, /* under QEMU's user mode */
	CAPTURE_HOOKS,	/* natively: the program has libnbhooks.a */
	CAPTURE_SYSTEM, /* a whole machine, in which it is started */
};

struct capture {
	enum capture_how how;
	const char *output;
	char **command; /* NULL-terminated */
	struct capture_limits limits;
	struct args puts; /* for CAPTURE_SYSTEM: HOST[:GUEST] */
};

/* Runs and records; @status is the program's exit status. */
int capture_program(const struct capture *c, int *status, struct err *err);

/* The same for CAPTURE_SYSTEM. */
int capture_system(const struct capture *c, int *status, struct err *err);

/* Says in @info what program it is. */
void capture_name(const struct capture *c, struct nbt_info *info);

/* --info and --verify; @all decodes every block. Returns 1 if @path is
 * damaged. */
int capture_info(const char *path, bool all, bool json, struct err *err);

/* --dump: all of it, as text. */
int capture_dump(const char *path, struct err *err);

/* --snapshot: the mappings of a live process, with its frames and huge pages as
 * far as this user may see them. */
int capture_snapshot(const char *pid, bool json, struct err *err);

/* --perf: what the CPU itself counts of @command's page walks, where it does.
 */
int capture_perf(char **command, bool json, int *status, struct err *err);
