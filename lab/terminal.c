/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LEAVE_KEY 0x1d /* Ctrl-] */

static struct termios saved;
static bool is_raw;

void terminal_restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	is_raw = false;
}

void terminal_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved))
		return;
	raw = saved;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST; /* our own messages end in \n */
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return;
	is_raw = true;
	atexit(terminal_restore);
}

static void write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(fd, bytes, n);

		if (done <= 0)
			return;
		bytes += done;
		n -= (size_t)done;
	}
}

bool terminal_to_guest(int guest)
{
	char keys[256];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n <= 0 || memchr(keys, LEAVE_KEY, (size_t)n))
		return false;
	write_all(guest, keys, (size_t)n);
	return true;
}

void terminal_from_guest(int guest, struct console *c)
{
	char bytes[4096];
	ssize_t n = read(guest, bytes, sizeof(bytes));

	if (n <= 0)
		return;
	write_all(STDOUT_FILENO, bytes, (size_t)n);
	console_feed(c, bytes, (size_t)n);
}
