/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that a recorded program executes. QEMU's user mode hands execve()
 * to the host, which runs them natively, unseen. So the recorder calls it
 * itself, with the emulator before the program.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/guest.h"
#include "capture/program.h"

#define OWN_ARGS 12 /* emulator, options, interpreter and its option */

static char *const *guest_strings(const struct guest *g, u64 list)
{
	return (char *const *)(g->base + list);
}

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* Guest pointers are host pointers plus @base, which is 0 as a rule. */
static char *host(const struct guest *g, char *pointer)
{
	return pointer + g->base;
}

static char *plugin_option(const struct guest *g, u16 thread)
{
	Dl_info self;
	char *text;

	if (!dladdr((void *)&guest_exec, &self) ||
	    asprintf(&text, "%s,ring=%s,process=%u,thread=%u", self.dli_fname,
		     g->ring_path, g->process, thread) < 0)
		return NULL;
	return text;
}

/* The program that the emulator loads: @path, or who interprets it. */
static bool choose(char *path, struct program *p, char **loaded)
{
	struct program interpreter;

	program_look(path, p);
	*loaded = path;
	if (p->kind != PROGRAM_SCRIPT)
		return p->kind == PROGRAM_OURS;
	*loaded = p->interpreter;
	program_look(*loaded, &interpreter);
	return interpreter.kind == PROGRAM_OURS;
}

void guest_exec(const struct guest *g, u16 thread, u64 path, u64 argv, u64 envp)
{
	char *name = (char *)path, *loaded;
	char *const *args = guest_strings(g, argv);
	size_t n = argv ? count(args) : 0, to = 0, first = 1;
	static char emulator[] = "/proc/self/exe", plugin[] = "-plugin";
	static char name_option[] = "-0";
	struct program p;
	char **list;

	if (!path || !n)
		return;
	name = host(g, name);
	if (!choose(name, &p, &loaded))
		return;
	list = calloc(n + OWN_ARGS, sizeof(*list));
	if (!list)
		return;
	list[to++] = emulator;
	list[to++] = plugin;
	list[to++] = plugin_option(g, thread);
	if (p.kind == PROGRAM_OURS) {
		list[to++] = name_option;
		list[to++] = host(g, args[0]);
	}
	list[to++] = loaded;
	if (p.kind == PROGRAM_SCRIPT && p.option[0])
		list[to++] = p.option;
	if (p.kind == PROGRAM_SCRIPT)
		list[to++] = name;
	while (first < n)
		list[to++] = host(g, args[first++]);
	if (list[2])
		execve(list[0], list, guest_strings(g, envp));
	free(list);
}
