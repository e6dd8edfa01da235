/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "lab/capture.h"
#include "lab/command.h"

enum {
	OPT_HOOKS = 256,
	OPT_RAW,
	OPT_SKIP,
	OPT_LIMIT,
	OPT_WINDOW,
	OPT_EVERY,
	OPT_MARKED,
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
	{0, 0, 0, 0, "To look at a trace:", 2},
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
	"  nestbox capture --info t.nbt\n\n"
	"The program runs under QEMU's user mode, with all processes that it "
	"starts. Ctrl-C ends it and keeps the trace. The status is the "
	"program's, 0 if --limit ended it, 128 + the signal that ended "
	"nestbox; 1 if something failed, 2 for a wrong command line. "
	"doc/traces.md has more.";

struct options {
	struct capture capture;
	const char *info, *dump; /* or NULL */
	bool verify, json;
};

static u64 parse_count(const char *arg, struct argp_state *state)
{
	static const char suffix[] = "kmg";
	char *end;
	u64 n = strtoull(arg, &end, 10), unit = 1;
	const char *at = *end ? strchr(suffix, *end | 0x20) : NULL;

	for (long i = at ? at - suffix : -1; i >= 0; i--)
		unit *= 1000;
	if (end == arg || *arg == '-' || (*end && (!at || end[1])) || !n ||
	    n > (1ull << 62) / unit)
		argp_error(state, "'%s' is not a number of accesses", arg);
	return n * unit;
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

/* Returns NULL or what is wrong. */
static const char *check(const struct options *o)
{
	const struct capture *c = &o->capture;

	if (o->info || o->dump)
		return c->command || c->output
			       ? "--info, --verify and --dump record "
				 "nothing"
			       : NULL;
	if (!c->command)
		return "what is to be recorded? See nestbox capture --help";
	if (!c->output)
		return "-o FILE is missing";
	if (!c->limits.window != !c->limits.every)
		return "--window and --every need each other";
	if (c->limits.window > c->limits.every)
		return "--window is longer than --every";
	return NULL;
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
	int status = 0, result;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &o);
	wrong = check(&o);
	if (wrong)
		return complain(EXIT_USAGE, "%s", wrong);
	if (o.info)
		result = status = capture_info(o.info, o.verify, o.json, &err);
	else if (o.dump)
		result = capture_dump(o.dump, &err);
	else
		result = capture_program(&o.capture, &status, &err);
	return result < 0 ? complain(EXIT_FAILED, "%s", err.text) : status;
}
