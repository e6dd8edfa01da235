/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page walks as the CPU counts them, by `perf stat`. The events are raw codes,
 * so that it does not matter which names this perf knows.
 *
 * Intel (SDM vol. 3, chapter 20, and perfmon's tables for Skylake to Sapphire
 * Rapids): DTLB_LOAD_MISSES.WALK_COMPLETED 0x0e08, .WALK_ACTIVE 0x1008 with
 * cmask 1, DTLB_STORE_MISSES.WALK_COMPLETED 0x0e49, .WALK_ACTIVE 0x1049.
 * AMD (PPR for family 17h and 19h, PMCx045): L1 DTLB misses that hit the L2
 * TLB, 0x0f45, and that walked, 0xf045. AMD counts no cycles of walks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/args.h"
#include "lab/capture.h"

struct counters {
	const char *vendor;
	const char *events;
};

static const struct counters known[] = {
	{"GenuineIntel",
	 "cycles:u,instructions:u,"
	 "cpu/event=0x08,umask=0x0e,name=load_walks/u,"
	 "cpu/event=0x08,umask=0x10,cmask=1,name=load_walk_cycles/u,"
	 "cpu/event=0x49,umask=0x0e,name=store_walks/u,"
	 "cpu/event=0x49,umask=0x10,cmask=1,name=store_walk_cycles/u"},
	{"AuthenticAMD", "cycles:u,instructions:u,"
			 "cpu/event=0x45,umask=0x0f,name=stlb_hits/u,"
			 "cpu/event=0x45,umask=0xf0,name=walks/u"},
};

static const struct counters *find_counters(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	const struct counters *found = NULL;
	char line[256];

	while (f && !found && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (!strncmp(line, "vendor_id", 9) &&
			    strstr(line, known[i].vendor))
				found = &known[i];
	if (f)
		(void)fclose(f);
	return found;
}

static int run_perf(const struct args *a)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(a->v[0], a->v);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Whether this CPU counts them, here: most virtual machines have no counters.
 * perf then says "<not supported>" or that there is no such event. */
static bool is_counted(const struct counters *c)
{
	char *command =
		format_string("perf stat -x, -e '%s' true 2>&1", c->events);
	FILE *f = popen(command, "re");
	char line[512];
	int counted = 0, others = 0;

	free(command);
	while (f && fgets(line, sizeof(line), f)) {
		bool number = line[0] >= '0' && line[0] <= '9';

		counted += number;
		others += !number;
	}
	if (f)
		(void)pclose(f);
	return counted && !others;
}

static int probe(const struct counters *c, struct err *err)
{
	if (system("perf --version >/dev/null 2>&1") != 0)
		return err_set(err, "no perf: install Debian's linux-perf");
	if (is_counted(c))
		return 0;
	return err_set(err,
		       "page walks cannot be counted here (%s): virtual "
		       "machines rarely have the counters, and "
		       "/proc/sys/kernel/perf_event_paranoid may forbid them",
		       c->vendor);
}

int capture_perf(char **command, bool json, int *status, struct err *err)
{
	const struct counters *c = find_counters();
	struct args a = {0};

	if (!c)
		return err_set(err, "this CPU's counters are not known: only "
				    "Intel's and AMD's are");
	if (probe(c, err) < 0)
		return -1;
	args_add(&a, "perf");
	args_add(&a, "stat");
	if (json)
		args_add(&a, "-j");
	args_add(&a, "-e");
	args_add(&a, c->events);
	args_add(&a, "--");
	for (char **arg = command; *arg; arg++)
		args_add(&a, *arg);
	*status = run_perf(&a);
	args_free(&a);
	return *status < 0 ? err_set(err, "cannot start perf") : 0;
}
