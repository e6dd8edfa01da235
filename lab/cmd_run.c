/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/command.h"
#include "lab/measure.h"
#include "lab/report.h"
#include "lab/run.h"

#define DEFAULT_TIMEOUT 1800

enum {
	OPT_STACK = 256,
	OPT_GUEST,
	OPT_MODULE,
	OPT_APPEND,
	OPT_MACHINE,
	OPT_ARCH,
	OPT_BIOS,
	OPT_CPUS,
	OPT_MEM,
	OPT_EXACT,
	OPT_FAST,
	OPT_ACCEL,
	OPT_CPU,
	OPT_JSON,
	OPT_SERIAL,
	OPT_COUNTS,
	OPT_PUT,
	OPT_GET,
	OPT_TIMEOUT,
	OPT_QEMU_ARG,
	OPT_GUEST_ARG,
	OPT_HV,
};

static const struct argp_option options[] = {
	{"stack", OPT_STACK, "NAME", 0,
	 "Guest's level and hypervisors from L0 up (default 1k)", 0},
	{"guest", OPT_GUEST, "micro|linux|FILE", 0,
	 "What runs innermost: the microbenchmark, Debian, or any multiboot "
	 "kernel (default linux)",
	 0},
	{"module", OPT_MODULE, "FILE[ WORDS]", 0,
	 "One more multiboot module for a guest that is a FILE", 0},
	{"append", OPT_APPEND, "WORDS", 0,
	 "More words for the guest's command line", 0},
	{"machine", OPT_MACHINE, "pc|q35|microvm", 0,
	 "Machine that the guest's QEMU makes, with its own firmware (default "
	 "pc with qboot.rom)",
	 0},
	{"arch", OPT_ARCH, "amd64|i386", 0,
	 "Of the guest Linux; i386: Debian's 686-pae kernel with busybox "
	 "(default amd64)",
	 0},
	{"bios", OPT_BIOS, "NAME", 0,
	 "Firmware of the guest's machine, such as bios-256k.bin (SeaBIOS) for "
	 "a payload that calls the BIOS",
	 0},
	{"hv", OPT_HV, "WORDS", 0,
	 "More options for nestbox.elf, where it is L0 (doc/hypervisor.md)", 0},
	{"cpus", OPT_CPUS, "N[,N...]", 0,
	 "CPUs of each level from L0 up; the last value holds for the rest "
	 "(default 1; 2 for micro's own level)",
	 0},
	{"mem", OPT_MEM, "SIZE[,SIZE...]", 0,
	 "Memory of each level, in MiB or with K, M, G (default: what the "
	 "stack needs)",
	 0},
	{"exact", OPT_EXACT, NULL, 0,
	 "Time is the count of instructions: runs repeat bit for bit "
	 "(default, unless KVM or a shell is used)",
	 0},
	{"fast", OPT_FAST, NULL, 0, "Real time, a thread for each CPU", 0},
	{"accel", OPT_ACCEL, "auto|tcg|kvm", 0,
	 "What runs L0 (default auto: KVM if its guests can nest)", 0},
	{"cpu", OPT_CPU, "MODEL", 0,
	 "CPU model of the emulator (default max; EPYC has no vGIF)", 0},
	{"json", OPT_JSON, "FILE", 0, "Write how the run ended (- = stdout)",
	 0},
	{"serial", OPT_SERIAL, "FILE", 0,
	 "Copy the guest's console, byte by byte", 0},
	{"counts", OPT_COUNTS, "FILE", 0,
	 "Write the instrument's counts (doc/instrument.md); needs --exact", 0},
	{"put", OPT_PUT, "FILE[:NAME]", 0,
	 "Copy FILE to /work/NAME in the guest Linux", 0},
	{"get", OPT_GET, "NAME[:FILE]", 0,
	 "Copy /work/NAME from the guest Linux when COMMAND has ended", 0},
	{"timeout", OPT_TIMEOUT, "SECONDS", 0,
	 "Give up after that time (default 1800; 0 = never)", 0},
	{"qemu-arg", OPT_QEMU_ARG, "ARG", 0,
	 "One more argument for the outer QEMU; repeat it", 0},
	{"guest-arg", OPT_GUEST_ARG, "ARG", 0,
	 "One more argument for the QEMU that makes the guest's machine", 0},
	{0},
};

static const char doc[] =
	"Run a guest on a stack of hypervisors. With --guest linux, COMMAND "
	"runs in it and its output and status come back; without COMMAND, on "
	"a terminal, you get a shell (Ctrl-] leaves).\v"
	"Examples:\n"
	"  nestbox run --stack 2kk -- uname -a\n"
	"  nestbox run --stack 1k --guest FILE.elf --append 'verbose'\n"
	"  nestbox run --stack 2kk\n\n"
	"The status is the command's, or the value that a payload writes to "
	"isa-debug-exit at port 0xf4; 1 if something failed, 2 for a wrong "
	"command line.";

struct options {
	struct spec spec;
	const char *stack, *guest, *cpus, *mem, *json, *serial, *counts;
};

/* The place of @arg among @n names, or -1. */
static int find_name(const char *const *names, int n, const char *arg)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(arg, names[i]))
			return i;
	return -1;
}

static error_t parse_accel(struct spec *spec, const char *arg,
			   struct argp_state *state)
{
	static const char *const names[] = {"auto", "tcg", "kvm"};
	int i = find_name(names, 3, arg);

	if (i < 0)
		argp_error(state, "--accel: '%s' is not auto, tcg or kvm", arg);
	spec->accel = (enum accel)i;
	return 0;
}

static error_t parse_machine(struct spec *spec, const char *arg,
			     struct argp_state *state)
{
	static const char *const names[] = {"pc", "q35", "microvm"};

	if (find_name(names, 3, arg) < 0)
		argp_error(state, "--machine: '%s' is not pc, q35 or microvm",
			   arg);
	spec->machine = arg;
	return 0;
}

static error_t parse_arch(struct spec *spec, const char *arg,
			  struct argp_state *state)
{
	static const char *const names[] = {"amd64", "i386"};
	int i = find_name(names, 2, arg);

	if (i < 0)
		argp_error(state, "--arch: '%s' is not amd64 or i386", arg);
	spec->i386 = i == 1;
	return 0;
}

static error_t parse_timeout(struct spec *spec, const char *arg,
			     struct argp_state *state)
{
	char *end;
	long seconds = strtol(arg, &end, 10);

	if (end == arg || *end || seconds < 0 || seconds > 1000000)
		argp_error(state, "--timeout: '%s' is not a number of seconds",
			   arg);
	spec->timeout = (int)seconds;
	return 0;
}

/* Options about what runs; the rest is in parse_option(). */
static error_t parse_spec_option(int key, char *arg, struct argp_state *state)
{
	struct spec *spec = &((struct options *)state->input)->spec;

	switch (key) {
	case OPT_MODULE:
		args_add(&spec->modules, arg);
		return 0;
	case OPT_APPEND:
		spec->append = arg;
		return 0;
	case OPT_HV:
		spec->hv = arg;
		return 0;
	case OPT_MACHINE:
		return parse_machine(spec, arg, state);
	case OPT_ARCH:
		return parse_arch(spec, arg, state);
	case OPT_BIOS:
		spec->bios = arg;
		return 0;
	case OPT_EXACT:
		spec->exact = true;
		return 0;
	case OPT_FAST:
		spec->fast = true;
		return 0;
	case OPT_ACCEL:
		return parse_accel(spec, arg, state);
	case OPT_CPU:
		spec->cpu = arg;
		return 0;
	case OPT_PUT:
		args_add(&spec->puts, arg);
		return 0;
	case OPT_GET:
		args_add(&spec->gets, arg);
		return 0;
	case OPT_TIMEOUT:
		return parse_timeout(spec, arg, state);
	case OPT_QEMU_ARG:
		args_add(&spec->qemu, arg);
		return 0;
	case OPT_GUEST_ARG:
		args_add(&spec->guest_qemu, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_STACK:
		o->stack = arg;
		return 0;
	case OPT_GUEST:
		o->guest = arg;
		return 0;
	case OPT_CPUS:
		o->cpus = arg;
		return 0;
	case OPT_MEM:
		o->mem = arg;
		return 0;
	case OPT_JSON:
		o->json = arg;
		return 0;
	case OPT_SERIAL:
		o->serial = arg;
		return 0;
	case OPT_COUNTS:
		o->counts = arg;
		return 0;
	case ARGP_KEY_ARGS:
		o->spec.command = state->argv + state->next;
		state->next = state->argc;
		return 0;
	default:
		return parse_spec_option(key, arg, state);
	}
}

static void choose_guest(struct options *o)
{
	if (!strcmp(o->guest, "linux")) {
		o->spec.guest = GUEST_LINUX;
		o->spec.shell = !o->spec.command && isatty(STDIN_FILENO);
		return;
	}
	o->spec.guest = GUEST_PAYLOAD;
	o->spec.payload = !strcmp(o->guest, "micro")
				  ? built_path("guest/bench/micro.elf")
				  : o->guest;
}

static int check_words(const struct options *o, struct err *err)
{
	const struct spec *s = &o->spec;

	if (s->exact && s->fast)
		return err_set(err, "--exact and --fast exclude each other");
	if (s->guest == GUEST_LINUX && !s->command && !s->shell)
		return err_set(err, "--guest linux needs a COMMAND or a "
				    "terminal");
	if (s->guest != GUEST_LINUX && s->command)
		return err_set(err, "a COMMAND needs --guest linux");
	return 0;
}

static int parse_levels(struct options *o, struct err *err)
{
	const struct per_level cpus = {"--cpus", 1, 64, 0, 0};
	const struct per_level mem = {"--mem", 1L << 20, 1L << 44, 1L << 20, 0};
	struct spec *s = &o->spec;

	if (stack_parse(&s->stack, o->stack, err) < 0)
		return -1;
	if (stack_parse_values(&s->stack, &cpus, o->cpus ? o->cpus : "1",
			       s->cpus, err) < 0)
		return -1;
	if (!o->cpus && !strcmp(o->guest, "micro"))
		spec_default_micro_cpus(s);
	if (o->mem)
		return stack_parse_values(&s->stack, &mem, o->mem, s->mem, err);
	return 0;
}

/* Opens --serial before anything runs: a bad name costs no time. */
static int run_and_save(const struct options *o, const struct cache *c,
			struct report_run *report, struct err *err)
{
	/* A command's output is all that goes to stdout: it can be piped. */
	struct run_output out = {
		.guest = o->spec.command ? stderr : stdout,
		.others = stderr,
		.command = stdout,
	};
	int result;

	if (o->serial) {
		out.serial = fopen(o->serial, "we");
		if (!out.serial)
			return err_set(err, "--serial %s: %s", o->serial,
				       strerror(errno));
	}
	result = run_stack(&o->spec, c, &out, &report->status, err);
	if (out.serial && fclose(out.serial) && !result)
		result = err_set(err, "--serial %s: %s", o->serial,
				 strerror(errno));
	if (fflush(stdout) && !result)
		result = err_set(err, "stdout: %s", strerror(errno));
	return result;
}

static int attach_instrument(struct options *o, const struct cache *c,
			     struct err *err)
{
	FILE *f;

	if (!o->spec.exact)
		return err_set(err, "--counts needs --exact");
	f = fopen(o->counts, "we");
	if (!f)
		return err_set(err, "--counts %s: %s", o->counts,
			       strerror(errno));
	(void)fclose(f);
	return measure_attach(&o->spec, c, o->counts, err);
}

int cmd_run(int argc, char **argv)
{
	const struct argp parser = {.options = options,
				    .parser = parse_option,
				    .args_doc = "[-- COMMAND [ARG...]]",
				    .doc = doc};
	struct options o = {
		.spec = {.cpu = "max", .timeout = DEFAULT_TIMEOUT},
		.stack = "1k",
		.guest = "linux",
	};
	struct report_run report = {.spec = &o.spec};
	struct cache cache;
	struct err err;
	int result;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &o);
	choose_guest(&o);
	if (check_words(&o, &err) < 0 || parse_levels(&o, &err) < 0)
		return complain(EXIT_USAGE, "%s", err.text);
	if (cache_open(&cache, &err) < 0 ||
	    run_settle(&o.spec, &cache, &err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	if (o.counts && attach_instrument(&o, &cache, &err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	report.cache = &cache;
	result = run_and_save(&o, &cache, &report, &err);
	report.failure = result < 0 ? err.text : NULL;
	if (result < 0)
		complain(EXIT_FAILED, "%s", err.text);
	if (o.json && report_save(&report, o.json, &err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	return result < 0 ? EXIT_FAILED : report.status;
}
