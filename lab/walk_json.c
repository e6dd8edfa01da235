/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lab/walk_show.h"
#include "walk/derive.h"
#include "walk/design.h"

static const char *const frames_name[] = {"computed", "buddy"};
static const char *const level_name[HITS] = {"l1", "l2", "l3", "memory"};

static void put_count(json_t *o, const char *name, u64 value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

/* < 0 is not defined. */
static void put_real(json_t *o, const char *name, double value)
{
	json_object_set_new(o, name,
			    value < 0 ? json_null() : json_real(value));
}

static void put_text(json_t *o, const char *name, const char *text)
{
	json_object_set_new(o, name, text ? json_string(text) : json_null());
}

static void put_identity(json_t *o, const struct walk_row *r)
{
	const struct walk_spec *s = &r->spec;
	u32 cores = s->threads_per_core ? s->profile->cores : 1;

	put_text(o, "trace", r->trace->path);
	put_text(o, "program", nbt_info(r->trace->reader)->program);
	put_text(o, "design", s->design->name);
	put_text(o, "env", env_name[s->env]);
	put_text(o, "pages", pages_name[s->pages]);
	put_text(o, "mode", frames_name[s->frames]);
	put_text(o, "profile", s->profile->name);
	put_count(o, "cores", cores);
	put_count(o, "skip", s->skip);
	put_count(o, "seed", s->seed);
	put_text(o, "refused", r->refusal);
	put_text(o, "failed", *r->failure ? r->failure : NULL);
	put_count(o, "lost_blocks", walk_row_lost(r));
	json_object_set_new(o, "complete",
			    json_boolean(nbt_info(r->trace->reader)->complete));
	json_object_set_new(o, "implied", json_boolean(r->implied));
}

static void put_misses(json_t *o, const struct walk_stats *s)
{
	put_count(o, "accesses", s->accesses);
	put_count(o, "instructions", s->instructions);
	put_real(o, "itlb_mpki", mpki(s->itlb_misses, s));
	put_real(o, "dtlb_mpki", mpki(s->dtlb_misses, s));
	put_real(o, "stlb_mpki", mpki(s->stlb_misses, s));
}

static void put_walks(json_t *o, const struct walk_stats *s,
		      const struct walk_figures *f)
{
	put_count(o, "walks", s->stlb_misses);
	put_count(o, "refs", s->refs);
	put_real(o, "refs_per_walk", refs_per_walk(s));
	put_count(o, "walk_cycles", s->walk_cycles);
	put_real(o, "cycles_per_walk", mean_latency(s));
	put_count(o, "p50", latency_percentile(s, 0.5));
	put_count(o, "p95", latency_percentile(s, 0.95));
	put_count(o, "p99", latency_percentile(s, 0.99));
	put_count(o, "max", latency_percentile(s, 1));
	put_real(o, "walk_speedup", f->walk_speedup);
	put_real(o, "app_speedup", f->app_speedup);
	put_real(o, "walk_share", f->share);
	put_real(o, "run_speedup_modelled", f->run_speedup);
}

static void put_hits(json_t *o, const struct walk_stats *s)
{
	char name[32];

	for (int hit = 0; hit < HITS; hit++) {
		u64 sum = 0;

		for (int step = 0; step < STEPS; step++)
			sum += s->ref_hit[step][hit];
		snprintf(name, sizeof(name), "refs_%s", level_name[hit]);
		put_count(o, name, sum);
	}
	for (int hit = 0; hit < HITS; hit++) {
		snprintf(name, sizeof(name), "data_%s", level_name[hit]);
		put_count(o, name, s->data_hit[hit]);
	}
}

static void put_costs(json_t *o, const struct walk_stats *s,
		      const struct walk_figures *f)
{
	static const char *const cause[CHARGES] = {
		"page_faults",	  "npt_faults",	     "exits_table_write",
		"shadow_fills",	  "exits_cr3",	     "exits_invlpg",
		"tea_operations", "exits_hypercall",
	};
	u64 instructions = 0, frames = 0, teas = 0;

	for (int i = 0; i < CHARGES; i++) {
		put_count(o, cause[i], s->charge_times[i]);
		instructions += s->charge_instructions[i];
	}
	for (int d = 0; d < DIM_MAX; d++) {
		frames += s->memory.frames[d];
		teas += s->memory.teas[d];
	}
	put_count(o, "exits", f->exits);
	put_count(o, "os_instructions", instructions);
	put_count(o, "fallbacks", s->fallbacks);
	put_count(o, "prefetches", s->prefetches);
	put_count(o, "table_bytes", f->tables);
	put_count(o, "table_bytes_peak", f->tables_peak);
	put_count(o, "tea_bytes", teas);
	put_count(o, "frame_bytes", frames);
}

static json_t *anatomy(const struct walk_row *r)
{
	const char *const *step = r->spec.design->steps[r->spec.env];
	json_t *list = json_array();

	for (int i = 0; i < STEPS && step && step[i]; i++) {
		json_t *o = json_object();

		put_text(o, "step", step[i]);
		for (int hit = 0; hit < HITS; hit++)
			put_count(o, level_name[hit], r->stats.ref_hit[i][hit]);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *row_json(const struct walk_plan *p, const struct walk_row *r)
{
	json_t *o = json_object();
	struct walk_figures f;

	walk_figures(&f, p, r);
	put_identity(o, r);
	if (!r->done)
		return o;
	put_misses(o, &r->stats);
	put_walks(o, &r->stats, &f);
	put_text(o, "walk_share_source", walk_share_source(p));
	put_hits(o, &r->stats);
	put_costs(o, &r->stats, &f);
	json_object_set_new(o, "anatomy", anatomy(r));
	put_real(o, "accesses_per_s", f.rate);
	return o;
}

json_t *walk_json(const struct walk_plan *p)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < p->row_count; i++)
		json_array_append_new(rows, row_json(p, &p->rows[i]));
	return json_pack("{s:o}", "rows", rows);
}

/* CSV **********************************************************************/

static void print_quoted(const char *text, FILE *to)
{
	if (!strpbrk(text, ",\"\n")) {
		fputs(text, to);
		return;
	}
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void print_value(const json_t *v, FILE *to)
{
	if (json_is_string(v))
		print_quoted(json_string_value(v), to);
	else if (json_is_integer(v))
		fprintf(to, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		fprintf(to, "%.9g", json_real_value(v));
	else if (json_is_boolean(v))
		fputs(json_is_true(v) ? "yes" : "no", to);
}

/* The names of a row that has all; @row = NULL prints them instead of values.
 */
static void print_line(json_t *names, const json_t *row, FILE *to)
{
	const char *name, *comma = "";
	json_t *value;

	json_object_foreach(names, name, value)
	{
		if (json_is_array(value))
			continue;
		fputs(comma, to);
		comma = ",";
		if (row)
			print_value(json_object_get(row, name), to);
		else
			fputs(name, to);
	}
	fputc('\n', to);
}

void walk_print_csv(const struct walk_plan *p, FILE *to)
{
	json_t *json = walk_json(p), *rows = json_object_get(json, "rows");
	json_t *names = NULL;

	for (size_t i = 0; i < p->row_count; i++)
		if (!names || p->rows[i].done > p->rows[i - 1].done)
			names = json_array_get(rows, i);
	print_line(names, NULL, to);
	for (size_t i = 0; i < p->row_count; i++)
		print_line(names, json_array_get(rows, i), to);
	json_decref(json);
}
