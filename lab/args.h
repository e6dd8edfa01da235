/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing, NULL-terminated vector of strings, as execv() takes it. It owns
 * its strings. Running out of memory ends the program: there is nothing
 * better to do in a command that has not started yet.
 */
#pragma once

#include <stddef.h>

struct args {
	char **v;
	size_t n;
};

void args_add(struct args *a, const char *word);
void args_addf(struct args *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void args_free(struct args *a);

/* asprintf() that cannot fail; free() the result. */
char *format_string(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
