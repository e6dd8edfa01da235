/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a trace, and what is wrong with it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "lab/capture.h"
#include "lab/save.h"
#include "lib/nbt/summary.h"

#define SHOWN 20 /* damaged blocks; JSON has them all */

struct trace {
	const char *path;
	const struct nbt_info *info;
	struct nbt_summary summary;
};

static bool is_damaged(const struct trace *t)
{
	return !t->info->complete || t->info->lost_blocks ||
	       t->info->damaged_header || t->summary.damaged;
}

static double per_access(const struct trace *t, u64 n)
{
	return t->info->accesses ? (double)n / (double)t->info->accesses : 0;
}

static void print_damage(const struct trace *t)
{
	const struct nbt_summary *s = &t->summary;

	printf("state         %s\n", is_damaged(t) ? "DAMAGED" : "complete");
	if (!t->info->complete)
		printf("              the index is missing: the trace may be "
		       "cut off\n");
	if (t->info->damaged_header)
		printf("              the header is damaged\n");
	if (t->info->lost_blocks)
		printf("              %" PRIu64 " blocks are missing\n",
		       t->info->lost_blocks);
	for (size_t i = 0; i < s->damaged && i < SHOWN; i++)
		printf("              block %" PRIu64 " at %" PRIu64
		       ", from access %" PRIu64 " on: %s\n",
		       s->damage[i].block, s->damage[i].offset,
		       s->damage[i].first, s->damage[i].why);
	if (s->damaged > SHOWN)
		printf("              and %zu more\n", s->damaged - SHOWN);
	if (s->lost_accesses)
		printf("              %" PRIu64 " accesses are lost\n",
		       s->lost_accesses);
}

static void print_text(const struct trace *t)
{
	const struct nbt_info *i = t->info;
	const struct nbt_summary *s = &t->summary;

	printf("trace         %s\nprogram       %s\ncommand       %s\n"
	       "source        %s\n",
	       t->path, i->program, i->command, i->source);
	printf("accesses      %" PRIu64 "\ninstructions  %" PRIu64 "\n",
	       i->accesses, i->instructions);
	printf("size          %" PRIu64 " bytes, %.2f per access, %s\n",
	       s->bytes, per_access(t, s->bytes),
	       i->codec == NBT_ZSTD ? "zstd" : "raw");
	printf("blocks        %" PRIu64 "\nprocesses     %" PRIu64
	       "\nthreads       %" PRIu64 "\naddresses     %s\n",
	       s->blocks, s->processes, s->threads,
	       s->physical ? "virtual and physical" : "virtual");
	for (int e = 0; e < NBT_EVENTS; e++)
		if (s->event[e])
			printf("%-13s %" PRIu64 "\n", nbt_event_name[e],
			       s->event[e]);
	print_damage(t);
}

static json_t *damage_list(const struct nbt_summary *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->damaged; i++)
		json_array_append_new(
			list,
			json_pack("{s:I, s:I, s:I, s:s}", "block",
				  (json_int_t)s->damage[i].block, "offset",
				  (json_int_t)s->damage[i].offset, "first",
				  (json_int_t)s->damage[i].first, "why",
				  s->damage[i].why));
	return list;
}

static json_t *event_object(const struct nbt_summary *s)
{
	json_t *object = json_object();

	for (int e = 0; e < NBT_EVENTS; e++)
		json_object_set_new(object, nbt_event_name[e],
				    json_integer((json_int_t)s->event[e]));
	return object;
}

static void add_texts(json_t *o, const struct trace *t)
{
	const struct nbt_info *i = t->info;

	json_object_set_new(o, "trace", json_string(t->path));
	json_object_set_new(o, "program", json_string(i->program));
	json_object_set_new(o, "command", json_string(i->command));
	json_object_set_new(o, "source", json_string(i->source));
	json_object_set_new(o, "codec",
			    json_string(i->codec == NBT_ZSTD ? "zstd" : "raw"));
}

static void add_number(json_t *o, const char *name, u64 value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

static int print_json(const struct trace *t, struct err *err)
{
	const struct nbt_summary *s = &t->summary;
	json_t *o = json_object();
	int result;

	add_texts(o, t);
	add_number(o, "accesses", t->info->accesses);
	add_number(o, "instructions", t->info->instructions);
	add_number(o, "bytes", s->bytes);
	add_number(o, "blocks", s->blocks);
	add_number(o, "processes", s->processes);
	add_number(o, "threads", s->threads);
	json_object_set_new(o, "physical", json_boolean(s->physical));
	json_object_set_new(o, "has_events", json_boolean(t->info->has_events));
	json_object_set_new(o, "events", event_object(s));
	json_object_set_new(o, "complete", json_boolean(t->info->complete));
	json_object_set_new(o, "damaged", json_boolean(is_damaged(t)));
	add_number(o, "lost_blocks", t->info->lost_blocks);
	add_number(o, "lost_accesses", s->lost_accesses);
	json_object_set_new(o, "damage", damage_list(s));
	result = save_json(o, "-", err);
	json_decref(o);
	return result;
}

int capture_info(const char *path, bool all, bool json, struct err *err)
{
	struct nbt_reader *r = nbt_open(path, err);
	struct trace t = {.path = path};
	int result = -1;

	if (!r)
		return -1;
	t.info = nbt_info(r);
	if (nbt_summarize(r, all, &t.summary, err) >= 0) {
		result = 0;
		if (json)
			result = print_json(&t, err);
		else
			print_text(&t);
		if (!result)
			result = is_damaged(&t);
		nbt_summary_free(&t.summary);
	}
	nbt_close(r);
	if (result >= 0 && save_stdout(err) < 0)
		return -1;
	return result;
}
