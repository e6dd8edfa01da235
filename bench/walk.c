/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/walk: how fast walk/ simulates radix, in millions of accesses per
 * second of one core, beside the machine's limit (bench/limit.h) on the same
 * accesses in the same run. walk/ reads a trace file and has the limit's
 * machine (bench/limit.ini); its time includes decoding and everything else.
 * Prints "PATTERN ENV OURS LIMIT REFS-PER-WALK LIMITS", for bench/walk.sh.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/limit.h"
#include "walk/walk.h"

#define ACCESSES (8u << 20)
#define ROUNDS	 3

/* Best rates so far, in accesses per microsecond. */
struct result {
	double ours, limit;
	struct walk_stats stats;
	struct limit_counts counts;
};

static void run_limit(const struct accesses *a, bool nested, struct result *r)
{
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		double start = bench_now(), rate;

		if (limit_walk(a->addr, a->n, nested, (enum limit_kind)kind,
			       &r->counts))
			return;
		rate = (double)a->n / (bench_now() - start) / 1e6;
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
	double start = bench_now(), rate;

	if (walk_run(trace, &spec, NULL, &r->stats, &err))
		bench_die(err.text);
	rate = (double)r->stats.accesses / (bench_now() - start) / 1e6;
	r->ours = rate > r->ours ? rate : r->ours;
}

static struct nbt_reader *write_trace(const struct accesses *a,
				      const char *path)
{
	struct nbt_info info = {.program = "bench", .has_events = true};
	struct err err = {""};
	struct nbt_reader *r;

	bench_write(a, &info, path);
	r = nbt_open(path, &err);
	if (!r)
		bench_die(err.text);
	return r;
}

static void measure(const char *pattern, const struct accesses *a,
		    const char *path, const void *profile)
{
	static const enum env envs[] = {ENV_NATIVE, ENV_NESTED};
	struct nbt_reader *trace = write_trace(a, path);
	static struct result r[ARRAY_SIZE(envs)];

	memset(r, 0, sizeof(r));
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(envs); i++) {
			run_limit(a, envs[i] == ENV_NESTED, &r[i]);
			run_ours(trace, envs[i], profile, &r[i]);
		}
	for (size_t i = 0; i < ARRAY_SIZE(envs); i++) {
		const struct walk_stats *s = &r[i].stats;

		if (r[i].limit > 0 && (s->dtlb_misses != r[i].counts.l1_tlb ||
				       s->stlb_misses != r[i].counts.l2_tlb))
			bench_die("walk/ and the limit count different misses");
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
	struct profile p;
	struct err err;

	if (argc < 2)
		bench_die("usage: walk PROFILE [PATTERN]");
	if (profile_load(&p, argv[1], &err))
		bench_die(err.text);
	bench_patterns(argc > 2 ? argv[2] : NULL, ACCESSES, measure, &p);
	return 0;
}
