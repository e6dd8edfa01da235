/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/walk: how fast walk/ simulates radix, in millions of accesses per
 * second of one core, beside the machine's limit (bench/limit.h) on the same
 * accesses in the same run. walk/ reads a trace file and has the limit's
 * machine (bench/limit.ini); its time includes decoding and everything else.
 * Prints "PATTERN ENV OURS LIMIT REFS-PER-WALK LIMITS", for bench/walk.sh.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/limit.h"
#include "bench/pattern.h"
#include "lib/nbt/nbt.h"
#include "walk/walk.h"

#define ACCESSES (8u << 20)
#define ROUNDS	 3

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "bench/walk: %s\n", what);
	exit(1);
}

/* Best rates so far, in accesses per microsecond. */
struct result {
	double ours, limit;
	struct walk_stats stats;
	struct limit_counts counts;
};

static void run_limit(const struct accesses *a, bool nested, struct result *r)
{
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		double start = now(), rate;

		if (limit_walk(a->addr, a->n, nested, (enum limit_kind)kind,
			       &r->counts))
			return;
		rate = (double)a->n / (now() - start) / 1e6;
		r->limit = rate > r->limit ? rate : r->limit;
	}
}

static void run_ours(const struct nbt_reader *trace, enum env env,
		     const struct profile *p, struct result *r)
{
	struct walk_spec spec = {.design = walk_find_design("radix"),
				 .env = env,
				 .profile = p,
				 .seed = 1};
	struct err err = {""};
	double start = now(), rate;

	if (walk_run(trace, &spec, NULL, &r->stats, &err))
		die(err.text);
	rate = (double)r->stats.accesses / (now() - start) / 1e6;
	r->ours = rate > r->ours ? rate : r->ours;
}

static struct nbt_reader *write_trace(const struct accesses *a,
				      const char *path)
{
	struct nbt_info info = {.program = "bench", .has_events = true};
	struct err err = {""};
	struct nbt_writer *w = nbt_create(path, &info, &err);
	struct nbt_reader *r;

	if (!w)
		die(err.text);
	for (size_t i = 0; i < a->n; i++)
		nbt_add(w, a->addr[i], a->kind[i], a->gap[i]);
	if (nbt_finish(w, &err) < 0)
		die(err.text);
	r = nbt_open(path, &err);
	if (!r)
		die(err.text);
	return r;
}

static void measure(const char *pattern, const struct accesses *a,
		    const struct profile *p, const char *path)
{
	static const enum env envs[] = {ENV_NATIVE, ENV_NESTED};
	struct nbt_reader *trace = write_trace(a, path);
	static struct result r[ARRAY_SIZE(envs)];

	memset(r, 0, sizeof(r));
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(envs); i++) {
			run_limit(a, envs[i] == ENV_NESTED, &r[i]);
			run_ours(trace, envs[i], p, &r[i]);
		}
	for (size_t i = 0; i < ARRAY_SIZE(envs); i++) {
		const struct walk_stats *s = &r[i].stats;

		if (r[i].limit > 0 && (s->dtlb_misses != r[i].counts.l1_tlb ||
				       s->stlb_misses != r[i].counts.l2_tlb))
			die("walk/ and the limit count different TLB misses");
		printf("%s %s %.1f %.1f %.2f %.2f\n", pattern,
		       env_name[envs[i]], r[i].ours, r[i].limit,
		       (double)s->refs / (double)s->stlb_misses,
		       (double)r[i].counts.refs / (double)r[i].counts.l2_tlb);
		(void)fflush(stdout);
	}
	nbt_close(trace);
}

int main(int argc, char **argv)
{
	char folder[] = "/dev/shm/nestbox-walk-XXXXXX", path[64];
	struct profile p;
	struct err err;

	if (argc < 2 || profile_load(&p, argv[1], &err))
		die(argc < 2 ? "usage: walk PROFILE [PATTERN]" : err.text);
	if (!mkdtemp(folder))
		die("no folder in /dev/shm");
	snprintf(path, sizeof(path), "%s/t.nbt", folder);
	for (size_t i = 0; pattern_names[i]; i++) {
		struct accesses a;

		if (argc > 2 && strcmp(argv[2], pattern_names[i]) != 0)
			continue;
		if (pattern_make(pattern_names[i], ACCESSES, &a) < 0)
			die("no memory");
		measure(pattern_names[i], &a, &p, path);
		accesses_free(&a);
	}
	(void)unlink(path);
	(void)rmdir(folder);
	return 0;
}
