/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/console.h"
#include "lab/job.h"
#include "lab/process.h"
#include "lab/terminal.h"

#define POLL_MS	   50
#define QMP_ENABLE "{\"execute\":\"qmp_capabilities\"}\n"

struct run {
	const struct spec *s;
	const struct run_output *out;
	struct wires w;
	struct process qemu;
	struct console console[MAX_LEVEL + 1];
	off_t read[MAX_LEVEL + 1]; /* bytes of each console file taken */
	struct report report;
	int shell; /* our end of the guest's console, or -1 */
	int signals;
	int log; /* QEMU's own messages */
	int wait_status;
};

/* Wiring *******************************************************************/

static int new_memfd(const char *name, long size, struct err *err)
{
	int fd = memfd_create(name, 0);

	if (fd < 0 || ftruncate(fd, size))
		return err_set(err, "memfd: %s", strerror(errno));
	return fd;
}

static int wire_consoles(struct run *r, struct err *err)
{
	int top = r->s->stack.guest_level, pair[2];

	for (int i = 0; i <= top; i++) {
		bool guest = i == top;

		r->w.console[i] = new_memfd("console", 0, err);
		if (r->w.console[i] < 0)
			return -1;
		r->console[i] = (struct console){
			.level = i,
			.lines = guest ? r->out->guest : r->out->others,
			.command = r->out->command,
			.copy = guest ? r->out->serial : NULL,
			.report = guest && r->s->guest == GUEST_PAYLOAD
					  ? NULL
					  : &r->report,
		};
	}
	if (!r->s->shell)
		return 0;
	close(r->w.console[top]);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return err_set(err, "socketpair: %s", strerror(errno));
	r->w.console[top] = pair[0];
	r->shell = fcntl(pair[1], F_DUPFD_CLOEXEC, 0);
	close(pair[1]);
	return 0;
}

static int wire(struct run *r, struct err *err)
{
	struct wires *w = &r->w;

	if (wire_consoles(r, err) < 0)
		return -1;
	w->job = new_memfd("job", 0, err);
	w->qmp_in = new_memfd("qmp-in", 0, err);
	w->qmp_out = new_memfd("qmp-out", 0, err);
	r->log = new_memfd("log", 0, err);
	if (w->job < 0 || w->qmp_in < 0 || w->qmp_out < 0 || r->log < 0)
		return -1;
	if (r->s->gets.n) {
		w->out_size = OUT_SIZE;
		w->out = new_memfd("out", w->out_size, err);
		if (w->out < 0)
			return -1;
	}
	if (write(w->qmp_in, QMP_ENABLE, strlen(QMP_ENABLE)) < 0)
		return err_set(err, "memfd: %s", strerror(errno));
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void unwire(struct run *r)
{
	for (int i = 0; i <= MAX_LEVEL; i++)
		close_fd(&r->w.console[i]);
	close_fd(&r->w.job);
	close_fd(&r->w.out);
	close_fd(&r->w.qmp_in);
	close_fd(&r->w.qmp_out);
	close_fd(&r->log);
	close_fd(&r->shell);
	close_fd(&r->signals);
}

/* Signals arrive as reads, so that nothing is interrupted half-way. */
static int catch_signals(struct run *r, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->signals < 0 ? err_set(err, "signalfd: %s", strerror(errno))
			      : 0;
}

/* While it runs ************************************************************/

static void drain_console(struct run *r, int level)
{
	char bytes[8192];
	ssize_t n;

	while ((n = pread(r->w.console[level], bytes, sizeof(bytes),
			  r->read[level])) > 0) {
		r->read[level] += n;
		console_feed(&r->console[level], bytes, (size_t)n);
	}
}

static void drain_consoles(struct run *r)
{
	for (int i = 0; i <= r->s->stack.guest_level; i++)
		if (!(r->s->shell && i == r->s->stack.guest_level))
			drain_console(r, i);
}

static long seconds_since(const struct timespec *start)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec - start->tv_sec;
}

static int check_limits(struct run *r, const struct timespec *start,
			struct err *err)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) == sizeof(info))
		return err_set(err, "stopped by signal %d (%s)",
			       (int)info.ssi_signo,
			       strsignal((int)info.ssi_signo));
	if (r->s->timeout && seconds_since(start) >= r->s->timeout)
		return err_set(err,
			       "stopped after the time limit of %d seconds "
			       "(--timeout)",
			       r->s->timeout);
	return 0;
}

/* The guest's console in both directions; false when the user has left. */
static bool relay_shell(struct run *r, const struct pollfd *fds)
{
	if (fds[1].revents & (POLLIN | POLLHUP))
		terminal_from_guest(r->shell,
				    &r->console[r->s->stack.guest_level]);
	if (fds[2].revents & (POLLIN | POLLHUP))
		return terminal_to_guest(r->shell);
	return true;
}

static int watch(struct run *r, struct err *err)
{
	struct pollfd fds[] = {
		{.fd = r->qemu.pidfd, .events = POLLIN},
		{.fd = r->shell, .events = POLLIN},
		{.fd = r->s->shell ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = r->signals, .events = POLLIN},
	};
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		poll(fds, 4, POLL_MS);
		drain_consoles(r);
		if (fds[0].revents)
			return 0;
		if (check_limits(r, &start, err) < 0)
			return -1;
		if (r->s->shell && !relay_shell(r, fds))
			return err_set(err, "left the shell by Ctrl-]");
	}
}

/* How it ended *************************************************************/

/* Copies the first error line of QEMU's log: later ones only follow from it. */
static void first_error(const struct run *r, char *line, size_t size)
{
	char text[16384] = "", *at, *rest = text;
	ssize_t n = pread(r->log, text, sizeof(text) - 1, 0);

	*line = '\0';
	text[n > 0 ? n : 0] = '\0';
	while ((at = strsep(&rest, "\n")))
		if (!*line && !strstr(at, "warning: "))
			snprintf(line, size, "%s", at);
}

/* What the outer QEMU says of the end, in the words of lab/level/init. */
static void read_qmp(const struct run *r, char *reason, size_t size)
{
	char text[16384] = "", *event, *at;
	ssize_t n = pread(r->w.qmp_out, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	snprintf(reason, size, "%s",
		 strstr(text, "\"return\"") ? "none" : "unstarted");
	event = strstr(text, "\"SHUTDOWN\"");
	at = event ? strstr(event, "\"reason\": \"") : NULL;
	if (at)
		snprintf(reason, size, "%.*s", (int)strcspn(at + 11, "\""),
			 at + 11);
}

/* The status of a bare payload from how its QEMU ended. */
static int payload_status(const char *reason, int code, int *status,
			  struct err *err)
{
	if (!strcmp(reason, "unstarted"))
		return err_set(err, "QEMU did not start the payload: it is no "
				    "multiboot kernel, or see the lines above");
	if (code & 1) {
		*status = code >> 1;
		return 0;
	}
	if (code == 0 && !strcmp(reason, "guest-shutdown")) {
		*status = 0;
		return 0;
	}
	if (code == 0 && !strcmp(reason, "guest-reset"))
		return err_set(err, "the payload reset its machine (a triple "
				    "fault?) and gave no exit code");
	return err_set(err, "QEMU of the payload ended with code %d (%s)", code,
		       reason);
}

static int outer_failure(const struct run *r, struct err *err)
{
	char line[300], reason[32];

	read_qmp(r, reason, sizeof(reason));
	first_error(r, line, sizeof(line));
	if (WIFSIGNALED(r->wait_status))
		return err_set(err, "the emulator was killed by signal %d %s",
			       WTERMSIG(r->wait_status), line);
	if (WEXITSTATUS(r->wait_status))
		return err_set(err, "the emulator failed: %s",
			       *line ? line : "it gave no reason");
	if (!strcmp(reason, "guest-reset"))
		return err_set(err, "L0 reset its machine: it crashed");
	return 0;
}

static int machine_ended(const struct run *r, const char *before,
			 struct err *err)
{
	return err_set(err,
		       "the machine of L%d ended (%s, code %d) before %s did",
		       r->report.exit_level, r->report.exit_reason,
		       r->report.exit_code, before);
}

static int judge_linux(const struct run *r, int *status, struct err *err)
{
	if (outer_failure(r, err) < 0)
		return -1;
	if (!r->report.has_status && r->report.exit_level)
		return machine_ended(r, "its command", err);
	if (!r->report.has_status)
		return err_set(err, "L%d ended without a status",
			       r->s->stack.guest_level);
	*status = r->report.status;
	return 0;
}

static int judge_payload(const struct run *r, int *status, struct err *err)
{
	char reason[32];

	if (!spec_guest_on_linux(r->s)) {
		read_qmp(r, reason, sizeof(reason));
		if (WIFSIGNALED(r->wait_status) || !strcmp(reason, "unstarted"))
			return outer_failure(r, err);
		return payload_status(reason, WEXITSTATUS(r->wait_status),
				      status, err);
	}
	if (outer_failure(r, err) < 0)
		return -1;
	if (!r->report.exit_level)
		return err_set(err, "the level below the payload ended "
				    "without a report");
	if (r->report.exit_level < r->s->stack.guest_level)
		return machine_ended(r, "the payload", err);
	return payload_status(r->report.exit_reason, r->report.exit_code,
			      status, err);
}

static int judge(const struct run *r, int *status, struct err *err)
{
	if (*r->report.failure)
		return err_set(err, "%s", r->report.failure);
	return r->s->guest == GUEST_LINUX ? judge_linux(r, status, err)
					  : judge_payload(r, status, err);
}

/* A caller that has not shown the consoles shows their ends after a failure. */
static void show_last_lines(const struct run *r)
{
	for (int i = 0; i <= r->s->stack.guest_level; i++)
		if (!r->console[i].lines)
			console_print_last(&r->console[i], stderr);
}

static int run_wired(struct run *r, const struct cache *c, struct err *err)
{
	struct args a = {0};
	int status;

	if (job_write(&r->w, r->s, c, err) < 0)
		return -1;
	machine_args(&a, r->s, c, &r->w, 0);
	status = process_start(&r->qemu, a.v, r->log, err);
	args_free(&a);
	if (status < 0)
		return -1;
	if (r->s->shell)
		terminal_raw();
	status = watch(r, err);
	if (r->s->shell)
		terminal_restore();
	if (status < 0)
		process_kill(&r->qemu);
	else
		r->wait_status = process_wait(&r->qemu);
	drain_consoles(r);
	for (int i = 0; i <= r->s->stack.guest_level; i++)
		console_end(&r->console[i]);
	return status;
}

int run_stack(const struct spec *s, const struct cache *c,
	      const struct run_output *out, int *status, struct err *err)
{
	struct run *r = calloc(1, sizeof(*r));
	int result;

	if (!r)
		return err_set(err, "out of memory");
	*r = (struct run){.s = s, .out = out, .shell = -1, .signals = -1};
	r->log = r->w.job = r->w.out = r->w.qmp_in = r->w.qmp_out = -1;
	for (int i = 0; i <= MAX_LEVEL; i++)
		r->w.console[i] = -1;
	result = wire(r, err);
	if (!result)
		result = catch_signals(r, err);
	if (!result)
		result = run_wired(r, c, err);
	if (!result)
		result = judge(r, status, err);
	if (!result)
		result = job_fetch(&r->w, s, err);
	if (result < 0)
		show_last_lines(r);
	unwire(r);
	free(r);
	return result;
}
