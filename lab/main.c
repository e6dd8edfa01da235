/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lab/command.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{"run", cmd_run, "run a guest on a stack of hypervisors"},
	{"bench", cmd_bench, "measure what operations cost at each level"},
	{"capture", cmd_capture,
	 "record what programs do to memory; look at traces"},
	{"walk", cmd_walk,
	 "simulate how designs translate the addresses of a trace"},
	{"doctor", cmd_doctor,
	 "say what this machine can run and what it lacks"},
};

int complain(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("nestbox: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return status;
}

static void print_help(FILE *to)
{
	fputs("Usage: nestbox COMMAND [OPTION...]\n"
	      "Nested virtualization on any machine, measured exactly.\n\n",
	      to);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nA stack is named by its guest's level and the hypervisors "
	      "from L0 up\n(k = Linux with KVM): 1k, 2kk, 3kkk; 0 is the bare "
	      "emulated CPU.\n`nestbox COMMAND --help` explains a command; see "
	      "also nestbox(1).\n",
	      to);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char title[32];

	if (!strcmp(name, "--help") || !strcmp(name, "-h") ||
	    !strcmp(name, "help")) {
		print_help(stdout);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		snprintf(title, sizeof(title), "nestbox %s", name);
		argv[1] = title;
		return commands[i].run(argc - 1, argv + 1);
	}
	if (!*name) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return complain(EXIT_USAGE, "unknown command '%s': see nestbox --help",
			name);
}
