/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of results: written under a temporary name beside the final one and
 * renamed when all is on its way to the disk, so that nothing half-written
 * stands under the final name. What is no ordinary file (/dev/stdout, a pipe)
 * is written as it is; "-" is stdout.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "lib/err.h"

struct save {
	FILE *file;
	char path[512], temporary[540]; /* "": none */
};

int save_begin(struct save *s, const char *path, struct err *err);

/* Both end it; save_drop() leaves nothing. */
int save_end(struct save *s, struct err *err);
void save_drop(struct save *s);

/* Whether all that was printed could be: asked at a command's end. */
int save_stdout(struct err *err);

/* All of it for @json, with a line's end. */
int save_json(const json_t *json, const char *path, struct err *err);
