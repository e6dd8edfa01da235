/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/args.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take(struct args *a, char *word)
{
	char **v = reallocarray(a->v, a->n + 2, sizeof(*v));

	if (!v || !word)
		errx(1, "out of memory");
	v[a->n++] = word;
	v[a->n] = NULL;
	a->v = v;
}

void args_add(struct args *a, const char *word)
{
	take(a, strdup(word));
}

static char *vformat(const char *format, va_list list)
{
	char *text = NULL;

	if (vasprintf(&text, format, list) < 0)
		errx(1, "out of memory");
	return text;
}

void args_addf(struct args *a, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	take(a, vformat(format, list));
	va_end(list);
}

void args_free(struct args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	*a = (struct args){0};
}

bool count_parse(const char *text, uint64_t *count)
{
	static const char suffix[] = "kmg";
	char *end;
	unsigned long long n, unit = 1;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (end == text || !isdigit((unsigned char)*text) || errno)
		return false;
	if (*end) {
		const char *at = strchr(suffix, *end | 0x20);

		if (!at || end[1])
			return false;
		for (long i = at - suffix; i >= 0; i--)
			unit *= 1000;
	}
	*count = n * unit;
	return n <= (1ull << 62) / unit;
}

char *format_string(const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	text = vformat(format, list);
	va_end(list);
	return text;
}
