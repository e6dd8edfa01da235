/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program, records it, and waits for all of its processes. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/collect.h"
#include "capture/program.h"
#include "lab/args.h"
#include "lab/cache.h"
#include "lab/capture.h"

#define EMULATOR      "qemu-x86_64"
#define PLUGIN	      "nbtrace-user.so"
#define FIRST_WITHOUT 9 /* QEMU that has no plugin interface 1 any more */
#define WAIT_MS	      50
#define SWEEP_S	      1
#define GRACE_S	      2

struct recording {
	const struct capture *options;
	struct ring *ring;
	int ring_fd;
	struct nbt_writer *writer;
	struct collector *collector;
	char source[64];
	pid_t pid;
	int status; /* as wait() has it */
	time_t start, swept, stopped, shown;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* Preparations *************************************************************/

/* Reads "... version MAJOR.MINOR"; what is not there stays as it is. */
static void parse_version(const char *line, unsigned long *major,
			  unsigned long *minor)
{
	static const char before[] = EMULATOR " version ";
	unsigned long n;
	char *end;

	if (strncmp(line, before, strlen(before)) != 0)
		return;
	line += strlen(before);
	errno = 0;
	n = strtoul(line, &end, 10);
	if (end == line || errno)
		return;
	*major = n;
	if (*end != '.')
		return;
	line = end + 1;
	n = strtoul(line, &end, 10);
	if (end != line && !errno)
		*minor = n;
}

/* Without it the emulator would say only that it cannot load the plugin. */
static int check_emulator(struct recording *r, struct err *err)
{
	char line[128] = "";
	FILE *f = popen(EMULATOR " --version 2>/dev/null", "re");
	unsigned long major = 0, minor = 0;

	if (f && fgets(line, sizeof(line), f))
		parse_version(line, &major, &minor);
	if (f)
		(void)pclose(f);
	if (!major)
		return err_set(err,
			       "no " EMULATOR ": install Debian's qemu-user "
			       "(tools/deps.sh --install)");
	if (major >= FIRST_WITHOUT)
		return err_set(err,
			       EMULATOR " is QEMU %lu.%lu: recording needs 6.1 "
					"to 8.2, such as Debian 12's",
			       major, minor);
	snprintf(r->source, sizeof(r->source), "plugin user, QEMU %lu.%lu",
		 major, minor);
	return 0;
}

static int check_program(const char *name, char *path, size_t size,
			 struct program *p, struct err *err)
{
	if (!program_find(name, path, size))
		return err_set(err, "%s: no such program", name);
	program_look(path, p);
	if (p->kind == PROGRAM_NONE)
		return err_set(err, "%s: cannot be executed", path);
	if (p->kind == PROGRAM_OTHER)
		return err_set(err,
			       "%s: no x86-64 program, or one that gives other "
			       "rights (set-user-ID)",
			       path);
	return 0;
}

static int emulator_args(const struct recording *r, struct args *a,
			 struct err *err)
{
	char **command = r->options->command, path[4096];
	char *plugin = built_path(PLUGIN);
	struct program p = {.kind = PROGRAM_NONE};

	args_add(a, EMULATOR);
	args_add(a, "-plugin");
	args_addf(a, "%s,ring=/proc/%d/fd/%d", plugin, (int)getpid(),
		  r->ring_fd);
	free(plugin);
	if (check_program(command[0], path, sizeof(path), &p, err) < 0)
		return -1;
	if (p.kind == PROGRAM_SCRIPT) {
		args_add(a, p.interpreter);
		if (p.option[0])
			args_add(a, p.option);
		args_add(a, path);
	} else {
		args_add(a, "-0");
		args_add(a, command[0]);
		args_add(a, path);
	}
	for (char **arg = command + 1; *arg; arg++)
		args_add(a, *arg);
	return 0;
}

void capture_name(const struct capture *c, struct nbt_info *info)
{
	const char *slash = strrchr(c->command[0], '/');
	size_t n = 0;

	snprintf(info->program, sizeof(info->program), "%s",
		 slash ? slash + 1 : c->command[0]);
	for (char **arg = c->command; *arg && n < sizeof(info->command); arg++)
		n += (size_t)snprintf(info->command + n,
				      sizeof(info->command) - n, "%s%s",
				      n ? " " : "", *arg);
}

static void describe(const struct recording *r, struct nbt_info *info)
{
	capture_name(r->options, info);
	snprintf(info->source, sizeof(info->source), "%s", r->source);
	info->codec = r->options->limits.codec;
	info->has_events = true;
}

static int open_recording(struct recording *r, struct err *err)
{
	struct nbt_info info = {0};

	describe(r, &info);
	r->writer = nbt_create(r->options->output, &info, err);
	if (!r->writer)
		return -1;
	r->collector = collect_new(r->ring, r->writer, &r->options->limits,
				   r->options->how == CAPTURE_PLUGIN);
	return r->collector ? 0 : err_set(err, "no memory");
}

/* The program **************************************************************/

static void catch_signals(void (*handler)(int))
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i],
			  &(struct sigaction){.sa_handler = handler}, NULL);
	signal(SIGXFSZ, handler == SIG_DFL ? SIG_DFL : SIG_IGN);
}

static int start(struct recording *r, struct args *a, struct err *err)
{
	pid_t parent = getpid();

	/* So that what the program leaves behind can be waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	catch_signals(on_signal);
	r->start = r->swept = time(NULL);
	r->pid = fork();
	if (r->pid < 0)
		return err_set(err, "cannot start a process: %s",
			       strerror(errno));
	if (r->pid)
		return 0;
	catch_signals(SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		execvp(a->v[0], a->v);
	fprintf(stderr, "nestbox: %s: %s\n", a->v[0], strerror(errno));
	_exit(127);
}

static void signal_process(pid_t pid, void *data)
{
	(void)kill(pid, *(const int *)data);
}

static void stop(struct recording *r, int signal)
{
	ring_stop(r->ring);
	ring_each_process(r->ring, signal_process, &signal);
	(void)kill(r->pid, signal);
}

static void reap_if_gone(pid_t pid, void *data)
{
	if (kill(pid, 0) < 0 && errno == ESRCH)
		collect_reap(data, pid);
}

/* Processes that were waited for by others, or never. */
static void sweep(struct recording *r)
{
	ring_each_process(r->ring, reap_if_gone, r->collector);
	r->swept = time(NULL);
}

/* Returns false when the last process has ended. */
static bool reap(struct recording *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		collect_reap(r->collector, pid);
		if (pid == r->pid)
			r->status = status;
	}
	return pid == 0;
}

static void show(struct recording *r, bool end)
{
	time_t now = time(NULL);
	u64 seen = collect_seen(r->collector);
	double s = now > r->start ? (double)(now - r->start) : 1;

	if (!isatty(STDERR_FILENO) || (now == r->shown && !end))
		return;
	r->shown = now;
	fprintf(stderr,
		"\r%.1f M accesses, %.1f M recorded, %.1f M/s, %.0f s%s",
		(double)seen / 1e6, (double)nbt_written(r->writer) / 1e6,
		(double)seen / 1e6 / s, s, end ? "\n" : " ");
}

/* First a request, then force. */
static void stop_if_due(struct recording *r)
{
	time_t now = time(NULL);

	if (!r->stopped && (interrupted || collect_done(r->collector))) {
		r->stopped = now;
		stop(r, SIGTERM);
	} else if (r->stopped && now > r->stopped + GRACE_S) {
		stop(r, SIGKILL);
	}
}

static void record(struct recording *r)
{
	bool running = true;

	while (running) {
		collect_drain(r->collector);
		running = reap(r);
		stop_if_due(r);
		if (time(NULL) > r->swept + SWEEP_S)
			sweep(r);
		show(r, false);
		if (running)
			ring_wait(r->ring, WAIT_MS);
	}
	sweep(r);
	collect_drain(r->collector);
	show(r, true);
}

/* End **********************************************************************/

static int exit_status(const struct recording *r)
{
	if (interrupted)
		return 128 + interrupted;
	if (r->stopped)
		return 0; /* that was our doing */
	return WIFEXITED(r->status) ? WEXITSTATUS(r->status)
				    : 128 + WTERMSIG(r->status);
}

static void report(const struct recording *r, u64 accesses)
{
	const char *path = r->options->output;
	struct stat st = {0};

	(void)stat(path, &st);
	fprintf(stderr, "nestbox: %s: %" PRIu64 " accesses, %.1f MB\n", path,
		accesses, (double)st.st_size / 1e6);
}

static int finish(struct recording *r, struct err *err)
{
	u64 accesses;

	collect_end(r->collector);
	r->collector = NULL;
	accesses = nbt_written(r->writer);
	if (!accesses && !nbt_failed(r->writer))
		return err_set(err, "%s: not written: nothing was recorded",
			       r->options->output);
	if (nbt_finish(r->writer, err) < 0) {
		r->writer = NULL;
		return -1;
	}
	r->writer = NULL;
	report(r, accesses);
	return 0;
}

/* The program as it is; libnbhooks.a in it finds the ring. */
static int native_args(struct recording *r, struct args *a, struct err *err)
{
	char **command = r->options->command, path[4096], ring[64];
	struct program p;

	snprintf(r->source, sizeof(r->source), "hooks");
	snprintf(ring, sizeof(ring), "/proc/%d/fd/%d", (int)getpid(),
		 r->ring_fd);
	(void)setenv("NESTBOX_RING", ring, 1);
	args_add(a, command[0]);
	for (char **arg = command + 1; *arg; arg++)
		args_add(a, *arg);
	return check_program(command[0], path, sizeof(path), &p, err);
}

static int prepare(struct recording *r, struct args *a, struct err *err)
{
	if (r->options->how == CAPTURE_HOOKS)
		return native_args(r, a, err);
	return check_emulator(r, err) < 0 ? -1 : emulator_args(r, a, err);
}

static int run(struct recording *r, struct args *a, struct err *err)
{
	if (prepare(r, a, err) < 0 || open_recording(r, err) < 0 ||
	    start(r, a, err) < 0)
		return -1;
	record(r);
	catch_signals(SIG_IGN);
	return finish(r, err);
}

int capture_program(const struct capture *c, int *status, struct err *err)
{
	struct recording r = {.options = c};
	struct args a = {0};
	int result = -1;

	/* A limit of the file's size is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	r.ring = ring_create(&r.ring_fd, err);
	if (r.ring)
		result = run(&r, &a, err);
	*status = exit_status(&r);
	if (r.collector)
		collect_end(r.collector);
	if (r.writer)
		nbt_abandon(r.writer);
	args_free(&a);
	ring_close(r.ring);
	if (r.ring_fd >= 0)
		(void)close(r.ring_fd);
	return result;
}
