/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One importer: what import.c and the formats' files share. A format's run()
 * reads records until the input ends or import_access() says that the trace
 * has enough, and returns 0; or < 0 by import_bad().
 */
#pragma once

#include "capture/import_input.h"
#include "capture/limits.h"
#include "lib/err.h"
#include "lib/nbt/nbt.h"

struct import {
	struct input *in;
	struct nbt_writer *w;
	const struct capture_limits *limits;
	struct err *err;
	const char *path;
	const char *unit; /* "record", "line" */
	u64 record;	  /* number of the one being read, from 1 */
	u64 since;	  /* instructions behind the last access */
	struct limits_state state;
};

struct import_format {
	const char *name;
	const char *unit;
	int (*run)(struct import *im);
};

extern const struct import_format import_champsim, import_lackey,
	import_drmemtrace, import_raw, import_table;

/* An access of im->since instructions behind the one before, which becomes 0.
 * @bytes is rounded up to a power of two of at most 128. False: enough. */
bool import_access(struct import *im, enum nbt_access what, u64 addr,
		   u64 bytes);

/* The same with a physical address, for formats that always have it. */
bool import_physical(struct import *im, u64 addr, u64 pa);

/* The next record of @size bytes: 1, 0 at the end, < 0 by import_bad(). */
int import_next(struct import *im, void *record, size_t size);

/* The next line: the same. */
int import_line(struct import *im, char *line, size_t size);

/* "PATH: record 7: @what"; returns -1. */
int import_bad(struct import *im, const char *what);
