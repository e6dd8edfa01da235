/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a payload under the instrument, exactly, and brings back its counts and
 * its serial text.
 */
#pragma once

#include "lab/cache.h"
#include "lab/counts.h"
#include "lab/spec.h"

/* Adds the instrument to @s's machine, writing to the file @out. */
int measure_attach(struct spec *s, const struct cache *c, const char *out,
		   struct err *err);

/* @serial is allocated for the caller. A payload that does not end with
 * status 0 is an error. */
int measure(struct spec *s, const struct cache *c, struct counts *counts,
	    char **serial, struct err *err);
