/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/walk_perf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk/derive.h"

#define FILE_BYTES (1u << 20)

/* One line: a number and what was counted. */
struct count {
	double value;
	const char *name;
	size_t length;
};

/* The member of struct walk_perf that an event is part of. */
enum sum { PENDING, ACTIVE, WALKS, CYCLES, SUMS };

static const struct event {
	const char *name;
	enum sum to;
} events[] = {
	{"dtlb_load_misses.walk_pending", PENDING},
	{"dtlb_store_misses.walk_pending", PENDING},
	{"itlb_misses.walk_pending", PENDING},
	{"dtlb_load_misses.walk_active", ACTIVE},
	{"dtlb_store_misses.walk_active", ACTIVE},
	{"itlb_misses.walk_active", ACTIVE},
	{"dtlb_load_misses.walk_duration", ACTIVE},
	{"dtlb_store_misses.walk_duration", ACTIVE},
	{"itlb_misses.walk_duration", ACTIVE},
	{"ls_l1_d_tlb_miss.all_l2_miss", WALKS},
	{"bp_l1_tlb_miss_l2_tlb_miss", WALKS},
	{"bp_l1_tlb_miss_l2_miss", WALKS},
	{"cycles", CYCLES},
	{"cpu-cycles", CYCLES},
	{"cpu_clk_unhalted.thread", CYCLES},
	{"ls_not_halted_cyc", CYCLES},
};

/* A digit, or what a locale puts between them. */
static bool in_number(char c)
{
	return isdigit((unsigned char)c) || c == '.' || c == ',' || c == '\'' ||
	       (unsigned char)c >= 0x80;
}

/* "  1,234,567      cycles:u": groups of digits may stand apart. */
static bool read_text(struct count *c, const char *line, size_t length)
{
	size_t at = 0;
	bool digits = false;

	c->value = 0;
	for (; at < length && (in_number(line[at]) || line[at] == ' '); at++)
		if (isdigit((unsigned char)line[at])) {
			c->value = c->value * 10 + (line[at] - '0');
			digits = true;
		}
	if (!digits || at == length || !at || line[at - 1] != ' ')
		return false;
	c->name = line + at;
	c->length = strcspn(c->name, " \t\r\n");
	return true;
}

/* "1234567,,cycles:u,...", with any separator that is no digit. */
static bool read_separated(struct count *c, const char *line, size_t length)
{
	size_t at = 0;
	char separator[] = "\n?";

	c->value = 0;
	for (; at < length && isdigit((unsigned char)line[at]); at++)
		c->value = c->value * 10 + (line[at] - '0');
	if (!at || at == length || line[at] == ' ')
		return false;
	separator[1] = line[at++];
	at += strcspn(line + at, separator); /* the unit */
	if (at >= length || line[at] != separator[1])
		return false;
	c->name = line + at + 1;
	c->length = strcspn(c->name, separator);
	return isalpha((unsigned char)*c->name);
}

/* "cpu_core/cycles/u" and "cycles:u" are "cycles". */
static void strip_name(struct count *c)
{
	const char *slash = memchr(c->name, '/', c->length);

	if (slash) {
		c->length -= (size_t)(slash + 1 - c->name);
		c->name = slash + 1;
	}
	for (size_t i = 0; i < c->length; i++)
		if (c->name[i] == ':' || c->name[i] == '/')
			c->length = i;
}

static void take(struct walk_perf *p, const struct count *c)
{
	double *const sums[SUMS] = {
		[PENDING] = &p->pending,
		[ACTIVE] = &p->active,
		[WALKS] = &p->walks,
		[CYCLES] = &p->cycles,
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (strlen(events[i].name) == c->length &&
		    !strncasecmp(events[i].name, c->name, c->length))
			*sums[events[i].to] += c->value;
}

int walk_perf_parse(struct walk_perf *p, const char *file, const char *text,
		    struct err *err)
{
	*p = (struct walk_perf){0};
	while (*text) {
		size_t length = strcspn(text, "\n");
		struct count c;

		if (read_separated(&c, text, length) ||
		    read_text(&c, text, length)) {
			strip_name(&c);
			take(p, &c);
		}
		text += length + (text[length] == '\n');
	}
	if (p->cycles <= 0)
		return err_set(err,
			       "%s: no cycles: not what perf stat prints, "
			       "or without that event",
			       file);
	if (p->pending + p->active + p->walks <= 0)
		return err_set(err,
			       "%s: no page walks: perf stat -e cycles,"
			       "dtlb_load_misses.walk_pending,... (Intel) or "
			       "ls_l1_d_tlb_miss.all_l2_miss (AMD)",
			       file);
	return 0;
}

int walk_perf_load(struct walk_perf *p, const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, FILE_BYTES + 1);
	int status = -1;

	if (!f || !text)
		err_set(err, "cannot open %s: %s", path, strerror(errno));
	else if (fread(text, 1, FILE_BYTES, f) == FILE_BYTES || ferror(f))
		err_set(err, "%s: not what perf stat prints", path);
	else
		status = walk_perf_parse(p, path, text, err);
	if (f)
		(void)fclose(f);
	free(text);
	return status;
}

double walk_perf_share(const struct walk_perf *p, const struct profile *profile,
		       const struct walk_stats *radix)
{
	double walks = p->active;

	if (p->pending > 0)
		walks = p->pending / profile->walkers;
	else if (walks <= 0)
		walks = p->walks * mean_latency(radix) / profile->walkers;
	return walks < p->cycles ? walks / p->cycles : 1;
}
