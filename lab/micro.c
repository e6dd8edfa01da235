/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/marker.h"

u64 micro_reflections(const struct level_counts *c)
{
	u64 sum = 0;

	for (int level = 1; level < LEVELS; level++)
		sum += c->exits[level];
	return sum;
}

static u64 ticks_of(const struct level_counts *c)
{
	u64 sum = 0;

	for (int level = 0; level < LEVELS; level++)
		sum += c->ticks[level];
	return sum;
}

static int by_insns(const void *a, const void *b)
{
	u64 x = counts_insns(a), y = counts_insns(b);

	return (x > y) - (x < y);
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

typedef u64 count_fn(const struct level_counts *c);

static u64 switches_of(const struct level_counts *c)
{
	return c->vmruns[0];
}

/* The lower one of two middle values: always one that occurred. */
static struct spread spread_of(const struct level_counts *w, size_t n,
			       count_fn *count)
{
	u64 *values = calloc(n ? n : 1, sizeof(*values));
	struct spread s = {0};

	for (size_t i = 0; values && i < n; i++)
		values[i] = count(&w[i]);
	if (values && n) {
		qsort(values, n, sizeof(*values), by_value);
		s = (struct spread){values[0], values[(n - 1) / 2],
				    values[n - 1]};
	}
	free(values);
	return s;
}

/* Moves the undisturbed windows to the front; returns how many they are. */
static size_t partition_ticked(struct level_counts *w, size_t n)
{
	u64 least = n ? ticks_of(&w[0]) : 0;
	size_t calm = 0;

	for (size_t i = 1; i < n; i++)
		if (ticks_of(&w[i]) < least)
			least = ticks_of(&w[i]);
	for (size_t i = 0; i < n; i++)
		if (ticks_of(&w[i]) == least) {
			struct level_counts t = w[calm];

			w[calm++] = w[i];
			w[i] = t;
		}
	return calm;
}

static void subtract(struct spread *s, u64 loop)
{
	s->min -= s->min < loop ? s->min : loop;
	s->median -= s->median < loop ? s->median : loop;
	s->max -= s->max < loop ? s->max : loop;
}

/* @loop is what an empty window costs: guest instructions only. */
static void summarise(struct op_result *op, struct level_counts *w, size_t n,
		      u64 loop)
{
	size_t calm = partition_ticked(w, n);

	op->windows = calm;
	op->ticked = n - calm;
	op->insns = spread_of(w, calm, counts_insns);
	op->ticked_insns = spread_of(w + calm, n - calm, counts_insns);
	op->switches = spread_of(w, calm, switches_of);
	op->reflections = spread_of(w, calm, micro_reflections);
	qsort(w, calm, sizeof(*w), by_insns);
	if (calm)
		op->typical = w[(calm - 1) / 2];
	subtract(&op->insns, loop);
	subtract(&op->ticked_insns, loop);
}

/* The windows of the series that starts behind mark @at; NULL if the marks do
 * not pair up. */
static struct level_counts *collect(const struct counts *c, size_t at,
				    size_t *n)
{
	struct level_counts *w = calloc(c->n, sizeof(*w));

	*n = 0;
	for (; w && at + 1 < c->n && c->marks[at].code != MARK_OP; at += 2) {
		const struct mark *begin = &c->marks[at], *end = begin + 1;

		if (begin->code != MARK_BEGIN || end->code != MARK_END) {
			free(w);
			return NULL;
		}
		w[(*n)++] = counts_between(&begin->counts, &end->counts);
	}
	return w;
}

/* Position behind the @index-th MARK_OP, or the end. */
static size_t find_series(const struct counts *c, size_t index)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->marks[i].code == MARK_OP && index-- == 0)
			return i + 1;
	return c->n;
}

/* The series' windows, fully measured, become @op's figures. */
static int analyse_op(struct op_result *op, const struct counts *c,
		      size_t series, u64 loop, struct err *err)
{
	size_t n;
	struct level_counts *w = collect(c, find_series(c, series), &n);
	int status = 0;

	if (!w || n != op->windows)
		status = err_set(err, "%s: %zu windows measured, not %zu",
				 op->name, w ? n : 0, op->windows);
	else
		summarise(op, w, n, loop);
	free(w);
	return status;
}

/* "WORD NAME REST": NAME into @name; returns REST, or NULL. */
static const char *parse_line(const char *line, const char *word, char *name,
			      size_t size)
{
	size_t skip = strlen(word), length;

	if (strncmp(line, word, skip) != 0)
		return NULL;
	length = strcspn(line + skip, " \r\n");
	if (!length || line[skip + length] != ' ')
		return NULL;
	snprintf(name, size, "%.*s", (int)length, line + skip);
	return line + skip + length + 1;
}

/* One line of the payload's: 1 if it was about an operation. */
static int take_line(struct op_result *op, const char *line)
{
	const char *rest = parse_line(line, "op ", op->name, sizeof(op->name));

	if (rest) {
		op->windows = strtoul(rest, NULL, 10);
		return 1;
	}
	rest = parse_line(line, "skip ", op->name, sizeof(op->name));
	if (rest)
		snprintf(op->skipped, sizeof(op->skipped), "%.*s",
			 (int)strcspn(rest, "\r\n"), rest);
	return rest != NULL;
}

int micro_analyse(struct micro_result *m, const struct counts *c,
		  const char *serial, struct err *err)
{
	size_t series = 0;
	u64 loop = 0;

	*m = (struct micro_result){0};
	while (*serial && m->n < MAX_OPS) {
		struct op_result *op = &m->op[m->n];

		if (take_line(op, serial)) {
			if (!*op->skipped &&
			    analyse_op(op, c, series++, loop, err) < 0)
				return -1;
			if (!strcmp(op->name, "empty"))
				loop = op->insns.min;
			m->n++;
		}
		serial += strcspn(serial, "\n");
		serial += *serial == '\n';
	}
	return m->n ? 0 : err_set(err, "the benchmark printed no operation");
}

const struct op_result *micro_find(const struct micro_result *m,
				   const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->op[i].name, name) && !*m->op[i].skipped)
			return &m->op[i];
	return NULL;
}
