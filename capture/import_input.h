/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a file, decompressed: what importers read. One thread each.
 * An error is kept: reads then end early, and input_error() tells.
 */
#pragma once

#include "lib/err.h"
#include "lib/types.h"

struct input;

/* "-" is stdin. NULL and *err: no such file, no memory. */
struct input *input_open(const char *path, struct err *err);
void input_close(struct input *in);

/* Up to @n bytes; fewer only at the end, or after an error. */
size_t input_read(struct input *in, void *bytes, size_t n);

/* A line without its end, NUL-terminated. Returns false at the input's end. A
 * line that does not fit into @size bytes is cut off: its length is @size. */
bool input_line(struct input *in, char *line, size_t size, size_t *length);

/* NULL, or what went wrong. */
const char *input_error(const struct input *in);
