/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for everything in lab/ that parses what others wrote. The first
 * byte chooses the parser, the rest is its input. With libFuzzer (`make fuzz`)
 * or, through test/fuzz/replay.c, on the files of its folder in
 * test/fuzz/regress.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/console.h"
#include "lab/job.h"
#include "lab/micro.h"
#include "lab/multiboot.h"
#include "lab/stack.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void fuzz_console(const char *text, size_t size)
{
	struct report report = {0};
	FILE *null = fopen("/dev/null", "w");
	struct console *c = calloc(1, sizeof(*c));

	if (c && null) {
		c->lines = c->command = null;
		c->report = &report;
		console_feed(c, text, size);
		console_end(c);
		console_print_last(c, null);
	}
	free(c);
	if (null)
		(void)fclose(null);
}

/* The counts up to the first NUL, the serial text behind it. */
static void fuzz_counts(char *text, size_t size)
{
	size_t length = strlen(text);
	const char *serial = length < size ? text + length + 1 : "";
	struct micro_result *m = malloc(sizeof(*m));
	struct counts counts;
	struct err err;

	if (m && counts_parse(&counts, text, &err) == 0) {
		micro_analyse(m, &counts, serial, &err);
		counts_free(&counts);
	}
	free(m);
}

static void fuzz_words(const char *text)
{
	const struct per_level rule = {"--mem", 1, 1L << 44, 1 << 20, 0};
	long values[MAX_LEVEL + 1];
	struct stack stack = {.guest_level = 2};
	struct err err;
	char *from, *to;

	stack_parse_values(&stack, &rule, text, values, &err);
	stack_parse(&stack, text, &err);
	job_split_pair(text, &from, &to);
	free(from);
	free(to);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = calloc(1, size + 1); /* NUL-terminated */
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		fuzz_console(text, size - 1);
		break;
	case 1:
		fuzz_counts(text, size);
		break;
	case 2:
		fuzz_words(text);
		break;
	case 3:
		multiboot_flaw(data + 1, size - 1, size - 1);
		break;
	}
	free(text);
	return 0;
}
