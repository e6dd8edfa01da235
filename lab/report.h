/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON about runs. Every result names what it was measured on: stack, CPUs,
 * memory, emulator, CPU model, kernel, inner QEMU, image checksum.
 */
#pragma once

#include <jansson.h>

#include "lab/cache.h"
#include "lab/spec.h"

struct report_run {
	const struct spec *spec;
	const struct cache *cache;
	int status;
	const char *failure; /* or NULL */
};

/* The "stack" object; the caller owns the reference. */
json_t *report_stack(const struct spec *s, const struct cache *c);

/* Writes the report of one run to @path ("-" = stdout). */
int report_save(const struct report_run *r, const char *path, struct err *err);
