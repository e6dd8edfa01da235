/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of /proc/PID/maps, as in proc(5); in smaps, each mapping begins with
 * one. Nothing is copied. Pure. Who calls it: capture/maps.c and
 * lab/capture_snapshot.c.
 */
#pragma once

#include "lib/types.h"

struct maps_line {
	u64 from, to, offset;
	char prot[5];	  /* "rw-p" */
	const char *path; /* in the line, not NUL-terminated */
	size_t path_len;  /* 0: none */
};

/* False: @line is no such line. */
bool maps_parse(const char *line, struct maps_line *m);
