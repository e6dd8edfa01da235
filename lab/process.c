/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MS 2000

/* Between fork and exec: only async-signal-safe calls. */
static void become(char *const *argv, int output, pid_t parent)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	dup2(null, 0);
	dup2(output, 1);
	dup2(output, 2);
	execvp(argv[0], argv);
	_exit(127);
}

int process_start(struct process *p, char *const *argv, int output,
		  struct err *err)
{
	pid_t parent = getpid();

	p->pid = fork();
	if (p->pid == 0)
		become(argv, output, parent);
	if (p->pid < 0)
		return err_set(err, "cannot start %s: %s", argv[0],
			       strerror(errno));
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0) {
		process_kill(p);
		return err_set(err, "cannot watch %s: %s", argv[0],
			       strerror(errno));
	}
	return 0;
}

int process_wait(struct process *p)
{
	int status = -1;

	if (p->pid > 0)
		while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
			;
	if (p->pidfd > 0)
		close(p->pidfd);
	*p = (struct process){.pid = -1, .pidfd = -1};
	return status;
}

void process_kill(struct process *p)
{
	struct pollfd ended = {.fd = p->pidfd, .events = POLLIN};

	if (p->pid <= 0)
		return;
	kill(p->pid, SIGTERM);
	if (p->pidfd < 0 || poll(&ended, 1, GRACE_MS) <= 0)
		kill(p->pid, SIGKILL);
	process_wait(p);
}
