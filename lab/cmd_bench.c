/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/bench.h"
#include "lab/command.h"
#include "lab/measure.h"
#include "lab/run.h"
#include "lab/save.h"

#define DEFAULT_TIMEOUT 3600

enum {
	OPT_STACKS = 256,
	OPT_OPS,
	OPT_N,
	OPT_CPU,
	OPT_CPUS,
	OPT_HV,
	OPT_JSON,
	OPT_CSV,
	OPT_TIMEOUT,
};

static const struct argp_option options[] = {
	{"stacks", OPT_STACKS, "LIST", 0,
	 "Stacks to measure (default 1k,1n,2kk,2nk)", 0},
	{"ops", OPT_OPS, "LIST", 0, "Operations (default all)", 0},
	{"iterations", OPT_N, "N", 0,
	 "Measured iterations of each operation (default 200)", 0},
	{"cpu", OPT_CPU, "MODEL", 0,
	 "CPU model (default max; EPYC has no vGIF)", 0},
	{"cpus", OPT_CPUS, "N[,N...]", 0,
	 "CPUs of each level from L0 up; shorter stacks take what they need "
	 "(default 1, and 2 for the guest)",
	 0},
	{"hv", OPT_HV, "WORDS", 0,
	 "More options for nestbox.elf, on the stacks that have it as L0", 0},
	{"json", OPT_JSON, "FILE", OPTION_ARG_OPTIONAL,
	 "JSON to FILE beside the table, or to stdout instead of it", 0},
	{"csv", OPT_CSV, NULL, 0, "CSV instead of the table", 0},
	{"timeout", OPT_TIMEOUT, "SECONDS", 0,
	 "Give up on a stack after that time (default 3600)", 0},
	{0},
};

static const char doc[] =
	"Measure what each operation of a guest costs on each stack, in "
	"instructions and world switches, exactly and from outside of every "
	"hypervisor. `micro` is the only suite and the default."
	"\vExample: nestbox bench micro --stacks 1k,2kk,3kkk --json=out.json";

struct options {
	char *stacks;
	const char *ops, *cpu, *cpus, *hv, *json;
	long n, timeout;
	bool as_json, csv;
};

static long parse_number(const char *arg, struct argp_state *state)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (end == arg || *end || n < 1 || n > 1000000)
		argp_error(state, "'%s' is not a positive number", arg);
	return n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_STACKS:
		o->stacks = arg;
		return 0;
	case OPT_OPS:
		o->ops = arg;
		return 0;
	case OPT_N:
		o->n = parse_number(arg, state);
		return 0;
	case OPT_CPU:
		o->cpu = arg;
		return 0;
	case OPT_CPUS:
		o->cpus = arg;
		return 0;
	case OPT_HV:
		o->hv = arg;
		return 0;
	case OPT_JSON:
		o->json = arg;
		o->as_json = true;
		return 0;
	case OPT_CSV:
		o->csv = true;
		return 0;
	case OPT_TIMEOUT:
		o->timeout = parse_number(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (strcmp(arg, "micro") != 0)
			argp_error(state, "unknown suite '%s': only micro",
				   arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Of the deepest stack in @names; what is no name is refused later. */
static int deepest(const char *names)
{
	int levels = 0, more;

	for (; *names; names += *names == ',') {
		more = *names - '0' + 1;
		if (more > levels && more <= MAX_LEVEL + 1)
			levels = more;
		names += strcspn(names, ",");
	}
	return levels;
}

/* @levels: how many --cpus can name. */
static int plan_stack(struct bench_stack *b, const struct options *o,
		      const char *name, int levels, struct err *err)
{
	const struct per_level cpus = {"--cpus", 1, 64, 0, levels};
	struct spec *s = &b->spec;

	*s = (struct spec){
		.guest = GUEST_PAYLOAD,
		.payload = built_path("guest/bench/micro.elf"),
		.append = o->ops ? format_string("n=%ld ops=%s", o->n, o->ops)
				 : format_string("n=%ld", o->n),
		.accel = ACCEL_TCG,
		.exact = true,
		.cpu = o->cpu,
		.no_thp = true,
		.timeout = (int)o->timeout,
	};
	if (stack_parse(&s->stack, name, err) < 0 ||
	    stack_parse_values(&s->stack, &cpus, o->cpus ? o->cpus : "1",
			       s->cpus, err) < 0)
		return -1;
	if (stack_is_nestbox(&s->stack, 0))
		s->hv = o->hv;
	if (!o->cpus)
		spec_default_micro_cpus(s);
	return 0;
}

static int plan(struct bench *b, const struct options *o, struct err *err)
{
	char *copy = format_string("%s", o->stacks), *rest = copy, *name;
	int levels = deepest(o->stacks), status = 0;

	while (!status && (name = strsep(&rest, ","))) {
		if (b->n == BENCH_STACKS)
			status = err_set(err, "--stacks: at most %d",
					 BENCH_STACKS);
		else
			status = plan_stack(&b->stack[b->n++], o, name, levels,
					    err);
	}
	free(copy);
	return status;
}

static int measure_stack(struct bench_stack *b, const struct cache *c,
			 struct err *err)
{
	struct counts counts = {0};
	char *serial = NULL;
	time_t start = time(NULL);
	int status;

	fprintf(stderr, "bench: measuring %s on %s ... ", b->spec.stack.name,
		b->spec.cpu);
	status = measure(&b->spec, c, &counts, &serial, err);
	if (!status)
		status = micro_analyse(&b->result, &counts, serial, err);
	fprintf(stderr, status ? "failed\n" : "%ld s\n",
		(long)(time(NULL) - start));
	counts_free(&counts);
	free(serial);
	return status;
}

static int measure_all(struct bench *b, const struct cache *c, struct err *err)
{
	for (size_t i = 0; i < b->n; i++)
		if (run_settle(&b->stack[i].spec, c, err) < 0)
			return -1;
	for (size_t i = 0; i < b->n; i++)
		if (measure_stack(&b->stack[i], c, err) < 0)
			return -1;
	return 0;
}

static int show(const struct bench *b, const struct options *o,
		const struct cache *c, struct err *err)
{
	int status = 0;

	if (o->as_json)
		status = bench_save_json(b, c, o->json ? o->json : "-", err);
	if (o->csv)
		bench_print_csv(b, stdout);
	else if (!o->as_json || o->json)
		bench_print_table(b, stdout);
	return status ? status : save_stdout(err);
}

int cmd_bench(int argc, char **argv)
{
	const struct argp parser = {.options = options,
				    .parser = parse_option,
				    .args_doc = "[micro]",
				    .doc = doc};
	struct options o = {.stacks = (char[]){"1k,1n,2kk,2nk"},
			    .cpu = "max",
			    .n = 200,
			    .timeout = DEFAULT_TIMEOUT};
	struct bench *b = calloc(1, sizeof(*b));
	struct cache cache;
	struct err err;
	int status;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	if (!b || plan(b, &o, &err) < 0) {
		status = complain(EXIT_USAGE, "%s",
				  b ? err.text : "out of memory");
		free(b);
		return status;
	}
	status = cache_open(&cache, &err);
	if (!status)
		status = measure_all(b, &cache, &err);
	if (!status)
		status = show(b, &o, &cache, &err);
	free(b);
	return status < 0 ? complain(EXIT_FAILED, "%s", err.text) : 0;
}
