/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/synth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "workload/btree.h"
#include "workload/canneal.h"
#include "workload/chase.h"
#include "workload/graph500.h"
#include "workload/gups.h"
#include "workload/memcached.h"
#include "workload/redis.h"
#include "workload/size.h"
#include "workload/stream.h"
#include "workload/xsbench.h"

#define PAGE	     4096
#define THREADS	     64
/* Where Linux puts things, without randomization. */
#define STACK_END    0x7ffffffff000ull
#define STACK_SIZE   (132ull << 10)
#define MAPPED_END   0x7ffff7d00000ull
#define THREAD_STACK (8ull << 20)

static const struct pattern *const patterns[] = {
	&btree_pattern,	   &canneal_pattern, &chase_pattern,
	&graph500_pattern, &gups_pattern,    &memcached_pattern,
	&redis_pattern,	   &stream_pattern,  &xsbench_pattern,
};

const char *const synth_names[] = {"btree",   "canneal",   "chase", "graph500",
				   "gups",    "memcached", "redis", "stream",
				   "xsbench", NULL};

struct synth {
	struct memory m;
	const struct pattern *pattern;
	struct plan plan;
	u64 operations; /* of each thread; 0 = until the limit */
	struct err *err;
	const char *spec;
};

/* Memory ********************************************************************/

static void put_map(struct memory *m, u64 at, u64 bytes, u64 flags)
{
	struct nbt_event e = {
		.type = NBT_MAP,
		.arg = {at, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | flags},
	};

	nbt_put_event(m->w, &e);
}

u64 memory_map(struct memory *m, u64 bytes)
{
	bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	m->end -= bytes;
	put_map(m, m->end, bytes, 0);
	return m->end;
}

void *memory_remember(struct memory *m, u64 bytes)
{
	struct memory_block *b = calloc(1, sizeof(*b) + bytes);

	if (!b)
		return NULL;
	b->next = m->blocks;
	m->blocks = b;
	return b->zeros;
}

static void forget(struct memory *m)
{
	while (m->blocks) {
		struct memory_block *next = m->blocks->next;

		free(m->blocks);
		m->blocks = next;
	}
}

/* What is asked for *********************************************************/

static int choose(struct synth *s, const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		s->pattern = patterns[i];
		if (strlen(s->pattern->name) == length &&
		    !strncmp(s->pattern->name, name, length))
			return 0;
	}
	return err_set(s->err,
		       "--synth %s: no such pattern: btree, canneal, chase, "
		       "graph500, gups, memcached, redis, stream or xsbench",
		       s->spec);
}

/* One KEY=NUMBER. */
static bool set_option(struct synth *s, const char *option)
{
	static const char *const keys[] = {"threads=", "operations=", "seed="};
	u64 threads = s->plan.threads;
	u64 *const values[] = {&threads, &s->operations, &s->plan.seed};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i]);

		if (strncmp(option, keys[i], n) != 0)
			continue;
		if (!size_parse(option + n, values[i]) || threads < 1 ||
		    threads > THREADS)
			return false;
		s->plan.threads = (unsigned)threads;
		return true;
	}
	return false;
}

static int parse(struct synth *s)
{
	const char *colon = strchr(s->spec, ':');
	char text[256], *word, *rest;

	s->plan = (struct plan){.seed = 1, .threads = 1};
	if (!colon || strlen(colon) > sizeof(text))
		return err_set(s->err, "--synth %s: not NAME:SIZE", s->spec);
	if (choose(s, s->spec, (size_t)(colon - s->spec)) < 0)
		return -1;
	snprintf(text, sizeof(text), "%s", colon + 1);
	word = strtok_r(text, ",", &rest);
	if (!word || !size_parse(word, &s->plan.bytes) ||
	    s->plan.bytes > 64ull << 40)
		return err_set(s->err, "--synth %s: not a size up to 64t",
			       s->spec);
	while ((word = strtok_r(NULL, ",", &rest)))
		if (!set_option(s, word))
			return err_set(s->err,
				       "--synth %s: '%s' is not threads=N (up "
				       "to %d), operations=N or seed=N",
				       s->spec, word, THREADS);
	if (!s->operations && !s->m.limits->limit)
		s->operations = s->pattern->operations;
	return 0;
}

/* The trace *****************************************************************/

static void start_threads(struct synth *s, struct worker *worker)
{
	for (unsigned i = 0; i < s->plan.threads; i++) {
		struct nbt_event e = {.type = NBT_THREAD, .arg = {i}};

		worker_init(&worker[i], &s->plan, i, &s->m);
		if (!i)
			continue;
		memory_map(&s->m, THREAD_STACK + PAGE);
		nbt_put_event(s->m.w, &e);
	}
}

/* Threads take turns. */
static void run(struct synth *s, const void *own)
{
	static const u64 forever = ~0ull;
	struct worker worker[THREADS];
	u64 left = s->operations ? s->operations : forever;

	start_threads(s, worker);
	while (left && !memory_enough(&s->m) && !nbt_failed(s->m.w)) {
		u64 n = left < s->pattern->batch ? left : s->pattern->batch;

		for (unsigned i = 0; i < s->plan.threads; i++) {
			nbt_thread(s->m.w, (u16)i, 0);
			s->pattern->run(own, &worker[i], n);
		}
		left -= n;
	}
}

static int make(struct synth *s)
{
	void *own = calloc(1, s->pattern->size);
	int result = -1;

	if (!own)
		return err_set(s->err, "--synth %s: no memory", s->spec);
	memcpy(own, &s->plan, sizeof(s->plan));
	s->m.end = MAPPED_END;
	put_map(&s->m, STACK_END - STACK_SIZE, STACK_SIZE, MAP_GROWSDOWN);
	if (s->pattern->lay_out(own, &s->m) < 0) {
		err_set(s->err, "--synth %s: not possible with that size",
			s->spec);
	} else {
		run(s, own);
		result = 0;
	}
	forget(&s->m);
	free(own);
	return result;
}

int synth_trace(const char *spec, const char *out,
		const struct capture_limits *limits, struct err *err)
{
	struct synth s = {.m.limits = limits, .err = err, .spec = spec};
	struct nbt_info info = {.codec = limits->codec, .has_events = true};

	if (parse(&s) < 0 || !s.pattern)
		return -1;
	snprintf(info.program, sizeof(info.program), "%s", s.pattern->name);
	snprintf(info.source, sizeof(info.source), "synth %s", spec);
	s.m.w = nbt_create(out, &info, err);
	if (!s.m.w)
		return -1;
	if (make(&s) == 0)
		return nbt_finish(s.m.w, err);
	nbt_abandon(s.m.w);
	return -1;
}
