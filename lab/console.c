/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/console.h"

#include <stdlib.h>
#include <string.h>

#define TAG "@nestbox "

static void print_line(struct console *c, const char *line)
{
	snprintf(c->last[c->printed++ % CONSOLE_LAST], sizeof(c->last[0]),
		 "%.159s", line);
	if (c->lines) {
		fprintf(c->lines, "L%d| %s\n", c->level, line);
		(void)fflush(c->lines);
	}
}

static void print_command_line(struct console *c, const char *line)
{
	if (c->newline_held)
		fputc('\n', c->command);
	fputs(line, c->command);
	(void)fflush(c->command);
	c->newline_held = true;
}

/* "exit CODE REASON": QEMU of @level ended. When a guest ends the machines
 * below it follow one by one; the innermost says why. */
static void take_exit(struct report *r, int level, const char *words)
{
	char *end;
	long code = strtol(words + strlen("exit "), &end, 10);

	if (*end != ' ' || level <= r->exit_level)
		return;
	r->exit_level = level;
	r->exit_code = (int)code;
	snprintf(r->exit_reason, sizeof(r->exit_reason), "%.31s", end + 1);
}

static void take_report(struct console *c, const char *words)
{
	struct report *r = c->report;

	if (!strcmp(words, "begin")) {
		c->in_command = true;
	} else if (!strncmp(words, "status ", 7)) {
		r->has_status = true;
		r->status = (int)strtol(words + 7, NULL, 10);
		c->in_command = false;
	} else if (!strncmp(words, "exit ", 5)) {
		take_exit(r, c->level + 1, words);
	} else if (!strncmp(words, "fail ", 5) && !*r->failure) {
		snprintf(r->failure, sizeof(r->failure), "%.255s", words + 5);
	}
}

static void end_line(struct console *c)
{
	c->line[c->used] = '\0';
	if (!c->in_command && c->used && c->line[c->used - 1] == '\r')
		c->line[c->used - 1] = '\0';
	if (c->report && !strncmp(c->line, TAG, strlen(TAG)))
		take_report(c, c->line + strlen(TAG));
	else if (c->in_command)
		print_command_line(c, c->line);
	else
		print_line(c, c->line);
	c->used = 0;
}

void console_feed(struct console *c, const char *bytes, size_t n)
{
	if (c->copy)
		(void)fwrite(bytes, 1, n, c->copy);
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n' || c->used == CONSOLE_LINE - 1)
			end_line(c);
		if (bytes[i] != '\n' && bytes[i])
			c->line[c->used++] = bytes[i];
	}
}

void console_end(struct console *c)
{
	if (c->used)
		end_line(c);
	if (c->newline_held && c->in_command)
		fputc('\n', c->command);
	c->newline_held = false;
}

void console_print_last(const struct console *c, FILE *to)
{
	unsigned n = c->printed < CONSOLE_LAST ? c->printed : CONSOLE_LAST;

	for (unsigned i = c->printed - n; i < c->printed; i++)
		fprintf(to, "L%d| %s\n", c->level, c->last[i % CONSOLE_LAST]);
}
