/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command between markers (lib/marker.h), for `nestbox capture
 * --system`:
 *
 *   marked [-m] PROGRAM [ARG...]
 *
 * MARK_OP first, so that the recorder gets ready; MARK_BEGIN in the command's
 * process just before its execve(), MARK_END when it has ended. With -m the
 * program has the latter two itself. The status is the program's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/marker.h"

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 127;
}

int main(int argc, char **argv)
{
	bool own = argc > 1 && !strcmp(argv[1], "-m");
	char **command = argv + 1 + own;
	int status = 0;
	pid_t pid;

	MARK(MARK_OP);
	pid = *command ? fork() : -1;
	if (!pid) {
		if (!own)
			MARK(MARK_BEGIN);
		execvp(*command, command);
		_exit(fail(*command));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fail("marked");
	if (!own)
		MARK(MARK_END);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
