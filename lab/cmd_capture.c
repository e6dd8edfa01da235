/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "capture/import.h"
#include "capture/synth.h"
#include "lab/args.h"
#include "lab/capture.h"
#include "lab/command.h"

enum {
	OPT_HOOKS = 256,
	OPT_SYSTEM,
	OPT_PUT,
	OPT_RAW,
	OPT_SKIP,
	OPT_LIMIT,
	OPT_WINDOW,
	OPT_EVERY,
	OPT_MARKED,
	OPT_IMPORT,
	OPT_SYNTH,
	OPT_SNAPSHOT,
	OPT_PERF,
	OPT_INFO,
	OPT_VERIFY,
	OPT_DUMP,
	OPT_JSON,
};

static const struct argp_option options[] = {
	{0, 0, 0, 0, "To record a program:", 1},
	{"output", 'o', "FILE", 0, "The trace to write", 0},
	{"hooks", OPT_HOOKS, 0, 0,
	 "Run it natively: libnbhooks.a is linked into it", 0},
	{"system", OPT_SYSTEM, 0, 0,
	 "Run it in Debian on the emulated machine and record all of that, "
	 "with physical addresses",
	 0},
	{"put", OPT_PUT, "FILE[:NAME]", 0,
	 "Copy FILE to /work/NAME there, where the program is started", 0},
	{"raw", OPT_RAW, 0, 0, "Do not compress: five times the size", 0},
	{"skip", OPT_SKIP, "N", 0, "Leave out the first N accesses (k, m, g)",
	 0},
	{"limit", OPT_LIMIT, "N", 0, "End the program after N recorded ones",
	 0},
	{"window", OPT_WINDOW, "N", 0, "Of each --every M, record the first N",
	 0},
	{"every", OPT_EVERY, "M", 0, 0, 0},
	{"marked", OPT_MARKED, 0, 0,
	 "Record only between the markers of lib/marker.h", 0},
	{0, 0, 0, 0,
	 "To make a trace without recording (with -o and the above):", 2},
	{"import", OPT_IMPORT, "FORMAT", 0,
	 "From the file that is named last, of another tool: champsim, lackey, "
	 "drmemtrace, raw, table",
	 0},
	{"synth", OPT_SYNTH, "NAME:SIZE", 0,
	 "Of a workload's pattern at any size, such as gups:128g", 0},
	{0, 0, 0, 0, "To look at a process or at the CPU:", 3},
	{"snapshot", OPT_SNAPSHOT, "PID", 0,
	 "Print its mappings, frames and huge pages", 0},
	{"perf", OPT_PERF, 0, 0,
	 "Print what the CPU counts of the program's page walks", 0},
	{0, 0, 0, 0, "To look at a trace:", 4},
	{"info", OPT_INFO, "FILE", 0, "Print what is in it", 0},
	{"verify", OPT_VERIFY, "FILE", 0,
	 "The same, and decode all of it; status 1 if it is damaged", 0},
	{"dump", OPT_DUMP, "FILE", 0, "Print its accesses and events", 0},
	{"json", OPT_JSON, 0, 0, "Print JSON", 0},
	{0},
};

static const char doc[] =
	"Record what programs do to memory, for `nestbox walk`, and look at "
	"such traces.\v"
	"Examples:\n"
	"  nestbox capture -o t.nbt -- ls -l\n"
	"  nestbox capture -o t.nbt --skip 100m --limit 50m -- redis-server\n"
	"  nestbox capture -o t.nbt --system -- ls -l\n"
	"  nestbox capture --info t.nbt\n\n"
	"The program runs under QEMU's user mode, with all processes that it "
	"starts. Ctrl-C ends it and keeps the trace. The status is the "
	"program's, 0 if --limit ended it, 128 + the signal that ended "
	"nestbox; 1 if something failed, 2 for a wrong command line. "
	"doc/traces.md has more.";

struct options {
	struct capture capture;
	/* What is to be done, if not to record: one of them or none. */
	const char *info, *dump, *import, *synth, *snapshot;
	bool perf;
	bool verify, json;
};

static u64 parse_count(const char *arg, struct argp_state *state)
{
	u64 n = 0;

	if (!count_parse(arg, &n) || !n)
		argp_error(state, "'%s' is not a number of accesses", arg);
	return n;
}

static error_t parse_limits(int key, const char *arg, struct capture_limits *l,
			    struct argp_state *state)
{
	switch (key) {
	case OPT_RAW:
		l->codec = NBT_RAW;
		return 0;
	case OPT_SKIP:
		l->skip = parse_count(arg, state);
		return 0;
	case OPT_LIMIT:
		l->limit = parse_count(arg, state);
		return 0;
	case OPT_WINDOW:
		l->window = parse_count(arg, state);
		return 0;
	case OPT_EVERY:
		l->every = parse_count(arg, state);
		return 0;
	case OPT_MARKED:
		l->marked = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->capture.output = arg;
		return 0;
	case OPT_HOOKS:
		o->capture.how = CAPTURE_HOOKS;
		return 0;
	case OPT_SYSTEM:
		o->capture.how = CAPTURE_SYSTEM;
		return 0;
	case OPT_PUT:
		args_add(&o->capture.puts, arg);
		return 0;
	case OPT_IMPORT:
		o->import = arg;
		return 0;
	case OPT_SYNTH:
		o->synth = arg;
		return 0;
	case OPT_SNAPSHOT:
		o->snapshot = arg;
		return 0;
	case OPT_PERF:
		o->perf = true;
		return 0;
	case OPT_VERIFY:
		o->verify = true;
		o->info = arg;
		return 0;
	case OPT_INFO:
		o->info = arg;
		return 0;
	case OPT_DUMP:
		o->dump = arg;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->capture.command = state->argv + state->next;
		return 0;
	}
	return parse_limits(key, arg, &o->capture.limits, state);
}

static const char *check_limits(const struct capture_limits *l)
{
	if (!l->window != !l->every)
		return "--window and --every need each other";
	if (l->window > l->every)
		return "--window is longer than --every";
	return NULL;
}

/* Returns NULL or what is wrong. */
static const char *check(const struct options *o)
{
	const struct capture *c = &o->capture;
	int modes = !!o->info + !!o->dump + !!o->import + !!o->synth +
		    !!o->snapshot + o->perf;
	bool writes = !modes || o->import || o->synth;
	bool reads = o->info || o->dump || o->snapshot || o->synth;

	if (modes > 1)
		return "one thing at a time: see nestbox capture --help";
	if (reads && c->command)
		return "there is no program to run";
	if (!reads && !c->command)
		return o->import ? "what is to be imported?"
				 : "what is to be recorded? See nestbox "
				   "capture --help";
	if (writes && !c->output)
		return "-o FILE is missing";
	if (!writes && c->output)
		return "-o: nothing is recorded";
	if (c->puts.n && c->how != CAPTURE_SYSTEM)
		return "--put needs --system";
	if (modes && c->how != CAPTURE_PLUGIN)
		return "--hooks and --system record a program";
	if (o->import && c->command[1])
		return "--import takes one file";
	return check_limits(&c->limits);
}

static int act(const struct options *o, int *status, struct err *err)
{
	const struct capture *c = &o->capture;

	if (o->info)
		return *status = capture_info(o->info, o->verify, o->json, err);
	if (o->dump)
		return capture_dump(o->dump, err);
	if (o->import)
		return import_trace(o->import, c->command[0], c->output,
				    &c->limits, err);
	if (o->synth)
		return synth_trace(o->synth, c->output, &c->limits, err);
	if (o->snapshot)
		return capture_snapshot(o->snapshot, o->json, err);
	if (o->perf)
		return capture_perf(c->command, o->json, status, err);
	if (c->how == CAPTURE_SYSTEM)
		return capture_system(c, status, err);
	return capture_program(c, status, err);
}

int cmd_capture(int argc, char **argv)
{
	const struct argp parser = {.options = options,
				    .parser = parse_option,
				    .args_doc = "[-- PROGRAM [ARG...]]",
				    .doc = doc};
	struct options o = {.capture.limits.codec = NBT_ZSTD};
	const char *wrong;
	struct err err;
	int status = 0;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &o);
	wrong = check(&o);
	if (wrong)
		return complain(EXIT_USAGE, "%s", wrong);
	if (act(&o, &status, &err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	return status;
}
