/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of a benchmark on several stacks, and its three forms: a table
 * for people, CSV, JSON.
 */
#pragma once

#include <stdio.h>

#include "lab/cache.h"
#include "lab/micro.h"
#include "lab/spec.h"

#define BENCH_STACKS 16

struct bench_stack {
	struct spec spec;
	struct micro_result result;
};

struct bench {
	struct bench_stack stack[BENCH_STACKS];
	size_t n;
};

void bench_print_table(const struct bench *b, FILE *to);
void bench_print_csv(const struct bench *b, FILE *to);
int bench_save_json(const struct bench *b, const struct cache *c,
		    const char *path, struct err *err);
