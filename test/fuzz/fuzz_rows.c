/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for what `nestbox walk` reads besides traces and profiles: perf
 * stat's output, kept rows, lists. The first byte chooses the reader.
 */
#include <stdlib.h>
#include <string.h>

#include "lab/walk_keep.h"
#include "lab/walk_perf.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void fuzz_perf(const char *text)
{
	const struct profile machine = {.walkers = 2};
	const struct walk_stats radix = {.stlb_misses = 1, .walk_cycles = 100};
	struct walk_perf p;
	struct err err;

	if (walk_perf_parse(&p, "perf", text, &err))
		return;
	if (!(walk_perf_share(&p, &machine, &radix) >= 0 &&
	      walk_perf_share(&p, &machine, &radix) <= 1))
		abort();
}

static void fuzz_row(const char *text, size_t size)
{
	struct walk_stats *stats = malloc(sizeof(*stats));

	if (stats)
		walk_take_line(text, size, "k", stats);
	free(stats);
}

static void fuzz_list(const char *text)
{
	static const char *const names[] = {"radix", "dmt", NULL};
	struct err err;
	u64 bits;

	if (!walk_parse_list(&bits, text, names, "design", &err) &&
	    (!bits || bits > 3))
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = calloc(1, size); /* NUL-terminated */
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		fuzz_perf(text);
		break;
	case 1:
		fuzz_row(text, size - 1);
		break;
	case 2:
		fuzz_list(text);
		break;
	}
	free(text);
	return 0;
}
