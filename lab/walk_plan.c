/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/walk_plan.h"

#include <stdlib.h>
#include <string.h>

#include "walk/design.h"

#define NAMES_MAX 64

static const char *const env_names[] = {"native", "virt", "nested", NULL};
static const char *const pages_names[] = {"4k", "thp", "2m", NULL};

static int unknown(const char *what, const char *word, size_t length,
		   const char *const *names, struct err *err)
{
	char known[300] = "";

	for (size_t i = 0; names[i]; i++) {
		size_t used = strlen(known);

		snprintf(known + used, sizeof(known) - used, "%s%s",
			 i ? ", " : "", names[i]);
	}
	return err_set(err, "unknown %s '%.*s': there are %s, or all", what,
		       length < 40 ? (int)length : 40, word, known);
}

static int parse_word(u64 *bits, const char *word, size_t length,
		      const char *const *names)
{
	bool all = length == 3 && !strncmp(word, "all", 3);
	u64 found = 0;

	for (size_t i = 0; names[i]; i++)
		if (all || (strlen(names[i]) == length &&
			    !strncmp(names[i], word, length)))
			found |= 1ull << i;
	*bits |= found;
	return found ? 0 : -1;
}

int walk_parse_list(u64 *bits, const char *text, const char *const *names,
		    const char *what, struct err *err)
{
	*bits = 0;
	for (;; text++) {
		size_t length = strcspn(text, ",");

		if (parse_word(bits, text, length, names))
			return unknown(what, text, length, names, err);
		text += length;
		if (!*text)
			return 0;
	}
}

/* The three lists, as bits. */
struct choice {
	u64 designs, envs, pages;
};

static int choose(struct choice *c, const struct walk_wish *wish,
		  struct err *err)
{
	const char *names[NAMES_MAX + 1] = {NULL};

	for (size_t i = 0; i < NAMES_MAX && walk_designs[i]; i++)
		names[i] = walk_designs[i]->name;
	if (walk_parse_list(&c->designs, wish->designs, names, "design", err) ||
	    walk_parse_list(&c->envs, wish->envs, env_names, "environment",
			    err))
		return -1;
	return walk_parse_list(&c->pages, wish->pages, pages_names,
			       "policy of pages", err);
}

static int open_traces(struct walk_plan *p, char *const *paths, size_t count,
		       struct err *err)
{
	p->traces = calloc(count, sizeof(*p->traces));
	if (!p->traces)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct walk_trace *t = &p->traces[p->trace_count];

		t->path = paths[i];
		t->reader = nbt_open(paths[i], err);
		if (!t->reader)
			return -1;
		p->trace_count++;
	}
	return 0;
}

/* The designs of one trace, environment and policy; radix, which the others
 * are compared with, is the first. */
static void add_group(struct walk_plan *p, const struct choice *c,
		      const struct walk_row *common)
{
	struct walk_row *radix = NULL;

	for (size_t i = 0; walk_designs[i]; i++) {
		bool is_radix = !strcmp(walk_designs[i]->name, "radix");
		bool wanted = c->designs >> i & 1;
		struct walk_row *r = &p->rows[p->row_count];

		if (!wanted && !is_radix)
			continue;
		*r = *common;
		r->spec.design = walk_designs[i];
		r->spec.profile = &p->profile;
		r->refusal = walk_refusal(walk_designs[i], r->spec.env);
		r->implied = !wanted;
		p->implied |= r->implied;
		if (is_radix)
			radix = r;
		r->radix = radix;
		p->row_count++;
	}
}

static int list_rows(struct walk_plan *p, const struct choice *c,
		     const struct walk_wish *wish, struct err *err)
{
	size_t designs = 0, rows;

	while (walk_designs[designs])
		designs++;
	rows = p->trace_count * ENVS * PAGES_MODES * designs;
	p->rows = calloc(rows ? rows : 1, sizeof(*p->rows));
	if (!p->rows)
		return err_set(err, "out of memory");
	for (size_t t = 0; t < p->trace_count; t++)
		for (int e = 0; e < ENVS; e++)
			for (int g = 0; g < PAGES_MODES; g++) {
				struct walk_row row = {
					.trace = &p->traces[t],
					.spec = wish->spec,
				};

				row.spec.env = (enum env)e;
				row.spec.pages = (enum pages)g;
				if (c->envs >> e & 1 && c->pages >> g & 1)
					add_group(p, c, &row);
			}
	return 0;
}

int walk_plan_make(struct walk_plan *p, const struct walk_wish *wish,
		   char *const *paths, size_t count, struct err *err)
{
	struct choice choice;

	if (choose(&choice, wish, err) || open_traces(p, paths, count, err))
		return -1;
	return list_rows(p, &choice, wish, err);
}

void walk_plan_free(struct walk_plan *p)
{
	for (size_t i = 0; i < p->trace_count; i++)
		nbt_close(p->traces[i].reader);
	free(p->traces);
	free(p->rows);
	*p = (struct walk_plan){0};
}

u64 walk_row_accesses(const struct walk_row *r)
{
	u64 all = nbt_info(r->trace->reader)->accesses;
	u64 end = r->spec.skip + r->spec.limit;

	return r->spec.limit && end < all ? end : all;
}

u64 walk_row_lost(const struct walk_row *r)
{
	return nbt_info(r->trace->reader)->lost_blocks + r->stats.lost_blocks;
}
