/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing, NULL-terminated vector of strings, as execv() takes it. It owns
 * its strings. Running out of memory ends the program: there is nothing
 * better to do in a command that has not started yet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args {
	char **v;
	size_t n;
};

void args_add(struct args *a, const char *word);
void args_addf(struct args *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void args_free(struct args *a);

/* A number of things, "1000", "50k", "3m", "2g" (thousands, millions ...), at
 * most 2^62. False: it is none. */
bool count_parse(const char *text, uint64_t *count);

/* asprintf() that cannot fail; free() the result. */
char *format_string(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
