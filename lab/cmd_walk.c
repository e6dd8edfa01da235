/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/args.h"
#include "lab/command.h"
#include "lab/save.h"
#include "lab/walk_keep.h"
#include "lab/walk_show.h"
#include "lab/walk_work.h"

enum {
	OPT_DESIGN = 256,
	OPT_ENV,
	OPT_PAGES,
	OPT_PROFILE,
	OPT_FRAMES,
	OPT_CORES,
	OPT_SKIP,
	OPT_LIMIT,
	OPT_SEED,
	OPT_PERF,
	OPT_JOBS,
	OPT_RESUME,
	OPT_JSON,
	OPT_CSV,
	OPT_ANATOMY,
	OPT_LIST,
	OPT_QUIET,
};

static const struct argp_option options[] = {
	{"design", OPT_DESIGN, "LIST", 0, "Designs (default all)", 0},
	{"env", OPT_ENV, "LIST", 0,
	 "Where the program runs: native, virt, nested (default all)", 0},
	{"pages", OPT_PAGES, "LIST", 0, "4k, thp, 2m, all (default 4k)", 0},
	{"profile", OPT_PROFILE, "NAME|FILE", 0,
	 "Machine (default skylake-dmt)", 0},
	{"frames", OPT_FRAMES, "computed|buddy", 0,
	 "Where pages lie: by arithmetic, or from an allocator (default "
	 "computed)",
	 0},
	{"cores", OPT_CORES, "N", 0,
	 "Threads take turns on N cores (default: all on one)", 0},
	{"skip", OPT_SKIP, "N", 0, "Accesses that only warm up", 0},
	{"limit", OPT_LIMIT, "N", 0, "Accesses to count then (default all)", 0},
	{"seed", OPT_SEED, "N", 0, "Of what is placed at random (default 1)",
	 0},
	{"perf", OPT_PERF, "FILE", 0,
	 "Output of perf stat: the share of walks in the program's time", 0},
	{"jobs", OPT_JOBS, "N", 0, "Rows at once (default: CPUs)", 0},
	{"resume", OPT_RESUME, "FILE", OPTION_ARG_OPTIONAL,
	 "Go on with an interrupted run; keep rows in FILE", 0},
	{"json", OPT_JSON, "FILE", OPTION_ARG_OPTIONAL,
	 "JSON to FILE beside the table, or to stdout instead of it", 0},
	{"csv", OPT_CSV, NULL, 0, "CSV instead of the table", 0},
	{"anatomy", OPT_ANATOMY, NULL, 0,
	 "Also where each reference of a walk hit", 0},
	{"list", OPT_LIST, NULL, 0, "Print designs and profiles", 0},
	{"quiet", OPT_QUIET, NULL, 0, "No progress", 0},
	{0},
};

static const char doc[] =
	"Simulate how designs translate the addresses of recorded programs: "
	"TLB misses, references and cycles of page walks, speed-ups."
	"\vLists are separated by commas; 'all' is everything. Example:\n"
	"nestbox walk redis.nbt --design radix,dmt,pvdmt --env virt,nested "
	"--json=out.json";

struct options {
	struct walk_wish wish;
	const char *profile, *frames, *perf, *resume, *json;
	u64 cores, jobs;
	bool as_json, csv, anatomy, list, quiet, resumes;
	char **traces;
	size_t trace_count;
};

static u64 parse_number(const char *arg, u64 low, u64 high,
			struct argp_state *state)
{
	u64 n;

	if (!count_parse(arg, &n) || n < low || n > high)
		argp_error(state, "'%s' is not a number from %llu to %llu", arg,
			   (unsigned long long)low, (unsigned long long)high);
	return n;
}

static error_t parse_number_option(int key, const char *arg,
				   struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_CORES:
		o->cores = parse_number(arg, 1, 1024, state);
		return 0;
	case OPT_SKIP:
		o->wish.spec.skip = parse_number(arg, 0, 1ull << 60, state);
		return 0;
	case OPT_LIMIT:
		o->wish.spec.limit = parse_number(arg, 1, 1ull << 60, state);
		return 0;
	case OPT_SEED:
		o->wish.spec.seed = parse_number(arg, 0, 1ull << 62, state);
		return 0;
	case OPT_JOBS:
		o->jobs = parse_number(arg, 1, 1024, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_flag(int key, const char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_RESUME:
		o->resume = arg;
		o->resumes = true;
		return 0;
	case OPT_JSON:
		o->json = arg;
		o->as_json = true;
		return 0;
	case OPT_CSV:
		o->csv = true;
		return 0;
	case OPT_ANATOMY:
		o->anatomy = true;
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_QUIET:
		o->quiet = true;
		return 0;
	default:
		return parse_number_option(key, arg, state);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_DESIGN:
		o->wish.designs = arg;
		return 0;
	case OPT_ENV:
		o->wish.envs = arg;
		return 0;
	case OPT_PAGES:
		o->wish.pages = arg;
		return 0;
	case OPT_PROFILE:
		o->profile = arg;
		return 0;
	case OPT_FRAMES:
		o->frames = arg;
		return 0;
	case OPT_PERF:
		o->perf = arg;
		return 0;
	case ARGP_KEY_ARGS:
		o->traces = state->argv + state->next;
		o->trace_count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (!o->trace_count && !o->list)
			argp_error(state, "which TRACE?");
		return 0;
	default:
		return parse_flag(key, arg, state);
	}
}

static int choose_frames(struct options *o, struct err *err)
{
	if (!strcmp(o->frames, "computed"))
		o->wish.spec.frames = FRAMES_COMPUTED;
	else if (!strcmp(o->frames, "buddy"))
		o->wish.spec.frames = FRAMES_BUDDY;
	else
		return err_set(err,
			       "unknown frames '%.40s': there are computed, "
			       "buddy",
			       o->frames);
	return 0;
}

static int plan(struct walk_plan *p, struct options *o, struct err *err)
{
	if (choose_frames(o, err) || profile_load(&p->profile, o->profile, err))
		return -1;
	if (o->cores) {
		p->profile.cores = (u32)o->cores;
		o->wish.spec.threads_per_core = 1;
		if (profile_check(&p->profile, err))
			return -1;
	}
	if (o->perf && walk_perf_load(&p->perf, o->perf, err))
		return -1;
	p->has_perf = o->perf;
	return walk_plan_make(p, &o->wish, o->traces, o->trace_count, err);
}

/* Without --resume=FILE rows are kept where there is a place for them. */
static int open_keep(struct walk_keep *k, struct walk_plan *p,
		     const struct options *o, struct err *err)
{
	int taken;

	for (size_t i = 0; i < p->trace_count; i++)
		if (walk_checksum(p->traces[i].path, &p->traces[i].checksum,
				  err))
			return -1;
	if (walk_keep_open(k, p, o->resume, err)) {
		if (o->resumes)
			return -1;
		complain(0, "%s: should this be interrupted, it starts again",
			 err->text);
		return 0;
	}
	if (!o->resumes)
		return walk_keep_clear(k, err);
	taken = walk_keep_load(k, p, err);
	if (taken > 0 && !o->quiet)
		fprintf(stderr, "walk: %d rows are there already\n", taken);
	return taken < 0 ? -1 : 0;
}

static int run(struct walk_plan *p, const struct options *o, struct err *err)
{
	struct walk_keep keep = {.fd = -1};
	struct walk_work work = {
		.plan = p, .jobs = (unsigned)o->jobs, .quiet = o->quiet};
	int status = open_keep(&keep, p, o, err), ended_by = 0;

	work.keep = keep.fd >= 0 ? &keep : NULL;
	if (!status)
		status = walk_work(&work, &ended_by, err);
	if (ended_by && work.keep)
		err_set(err,
			"interrupted: the same command with --resume%s%s "
			"goes on",
			o->resume ? "=" : "", o->resume ? o->resume : "");
	walk_keep_close(&keep, !status);
	return status;
}

static int show_json(const struct walk_plan *p, const char *path,
		     struct err *err)
{
	json_t *json = walk_json(p);
	int status = save_json(json, path, err);

	json_decref(json);
	return status;
}

static int show(const struct walk_plan *p, const struct options *o,
		struct err *err)
{
	int status = 0;

	if (o->as_json)
		status = show_json(p, o->json ? o->json : "-", err);
	if (status)
		return status;
	if (o->csv)
		walk_print_csv(p, stdout);
	else if (!o->as_json || o->json)
		walk_print_table(p, stdout);
	if (o->anatomy && !o->csv && (!o->as_json || o->json))
		walk_print_anatomy(p, stdout);
	return save_stdout(err);
}

static void warn_of_trace(const struct walk_row *r)
{
	unsigned long long lost = walk_row_lost(r);

	if (!nbt_info(r->trace->reader)->complete)
		complain(0, "%s: the file ends early: what there is was used",
			 r->trace->path);
	if (lost)
		complain(0, "%s: damaged blocks left out: %llu", r->trace->path,
			 lost);
}

/* Of each trace once; returns how many rows failed. */
static size_t warn(const struct walk_plan *p, struct err *err)
{
	const struct walk_trace *said = NULL;
	size_t failed = 0;

	for (size_t i = 0; i < p->row_count; i++) {
		const struct walk_row *r = &p->rows[i];

		if (*r->failure && !failed++)
			err_set(err, "%s: %s", r->trace->path, r->failure);
		if (r->done && r->trace != said)
			warn_of_trace(r);
		said = r->done ? r->trace : said;
	}
	return failed;
}

int cmd_walk(int argc, char **argv)
{
	const struct argp parser = {.options = options,
				    .parser = parse_option,
				    .args_doc = "TRACE...",
				    .doc = doc};
	struct options o = {.wish = {.designs = "all",
				     .envs = "all",
				     .pages = "4k",
				     .spec = {.seed = 1}},
			    .profile = "skylake-dmt",
			    .frames = "computed",
			    .jobs = (u64)sysconf(_SC_NPROCESSORS_ONLN)};
	struct walk_plan p = {0};
	struct err err;
	int status;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	(void)signal(SIGXFSZ, SIG_IGN); /* an error like a full disk */
	if (o.list) {
		walk_print_list(stdout);
		return save_stdout(&err) ? complain(EXIT_FAILED, "%s", err.text)
					 : 0;
	}
	status = plan(&p, &o, &err);
	if (!status)
		status = run(&p, &o, &err);
	if (!status)
		status = show(&p, &o, &err);
	if (!status && warn(&p, &err))
		status = -1;
	walk_plan_free(&p);
	return status ? complain(EXIT_FAILED, "%s", err.text) : 0;
}
