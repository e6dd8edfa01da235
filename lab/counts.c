/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/counts.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT "switchcount 1"

_Static_assert(COUNT_COLUMNS == 4 * LEVELS + 2 * CAUSES,
	       "the counters are written and read as plain columns");

/* Adds one CPU's row "cpu I v v v ..." to @counts. */
static int add_row(struct level_counts *counts, char *row)
{
	u64 sum[COUNT_COLUMNS];
	char *at = row + strlen("cpu "), *end;

	memcpy(sum, counts, sizeof(sum));
	(void)strtoul(at, &end, 10);
	for (size_t i = 0; i < COUNT_COLUMNS; i++) {
		at = end;
		sum[i] += strtoull(at, &end, 10);
		if (end == at)
			return -1;
	}
	memcpy(counts, sum, sizeof(sum));
	return 0;
}

static struct level_counts *add_mark(struct counts *c, const char *words)
{
	struct mark *marks;
	char *end;

	/* Grows by doubling: a power of two says that it is full. */
	if ((c->n & (c->n - 1)) == 0) {
		size_t room = c->n ? c->n * 2 : 1;

		marks = reallocarray(c->marks, room, sizeof(*marks));
		if (!marks)
			return NULL;
		c->marks = marks;
	}
	marks = &c->marks[c->n++];
	*marks = (struct mark){.code = (unsigned)strtoul(words, &end, 10)};
	marks->cpu = (unsigned)strtoul(end, NULL, 10);
	return &marks->counts;
}

int counts_parse(struct counts *c, char *text, struct err *err)
{
	struct level_counts *now = NULL;
	char *line, *rest = text;
	bool ended = false;

	*c = (struct counts){0};
	line = strsep(&rest, "\n");
	if (strcmp(line, FORMAT) != 0)
		return err_set(err, "the instrument wrote nothing usable");
	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, "cpus ", 5)) {
			c->cpus = (unsigned)strtoul(line + 5, NULL, 10);
		} else if (!strncmp(line, "mark ", 5)) {
			now = add_mark(c, line + 5);
		} else if (!strcmp(line, "end")) {
			now = &c->end;
			ended = true;
		} else if (!strncmp(line, "cpu ", 4)) {
			if (!now || add_row(now, line) < 0)
				break;
		}
	}
	if (line || !ended) {
		counts_free(c);
		return err_set(err, "the instrument's output is incomplete");
	}
	return 0;
}

void counts_free(struct counts *c)
{
	free(c->marks);
	*c = (struct counts){0};
}

struct level_counts counts_between(const struct level_counts *begin,
				   const struct level_counts *end)
{
	u64 a[COUNT_COLUMNS], b[COUNT_COLUMNS];
	struct level_counts difference;

	memcpy(a, begin, sizeof(a));
	memcpy(b, end, sizeof(b));
	for (size_t i = 0; i < COUNT_COLUMNS; i++)
		b[i] -= a[i];
	memcpy(&difference, b, sizeof(b));
	return difference;
}

u64 counts_insns(const struct level_counts *c)
{
	u64 sum = 0;

	for (int i = 0; i < LEVELS; i++)
		sum += c->insns[i];
	return sum;
}
