/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/boot.h"

/* A Linux level itself, with its page cache of the tools image. */
#define LEVEL_MEM (640 * MIB)

/* What nestbox.elf keeps, and what it needs to find that in one piece. */
#define NESTBOX_MEM (128 * MIB)

long machine_min_mem(const struct spec *s, int level)
{
	if (stack_is_nestbox(&s->stack, level))
		return s->mem[level + 1] + NESTBOX_MEM;
	if (!spec_is_linux(s, level))
		return 2 * MIB;
	return spec_is_guest(s, level) ? 192 * MIB
				       : s->mem[level + 1] + 384 * MIB;
}

long machine_default_mem(const struct spec *s, int level, long above)
{
	if (stack_is_nestbox(&s->stack, level))
		return above + NESTBOX_MEM;
	if (!spec_is_guest(s, level))
		return above + LEVEL_MEM;
	return s->guest == GUEST_LINUX ? 512 * MIB : 128 * MIB;
}

static void add_console(struct args *a, const struct spec *s,
			const struct wires *w, int level, int port)
{
	args_add(a, "-chardev");
	if (level > 0)
		args_addf(a, "serial,id=com%d,path=/dev/ttyS%d", port,
			  port + 1);
	else if (s->shell && port == s->stack.guest_level)
		args_addf(a, "socket,id=com%d,fd=%d", port, w->console[port]);
	else
		args_addf(a, "file,id=com%d,path=/dev/fd/%d", port,
			  w->console[port]);
	args_add(a, "-serial");
	args_addf(a, "chardev:com%d", port);
}

/* Which level's console @port of @level's machine is, the latter counted from
 * 0. On the outer machine boot_port() says where nestbox.elf speaks. */
static int console_of(const struct spec *s, int level, int port)
{
	if (level > 0)
		return port;
	for (level = 0; boot_port(s, level) != port;)
		level++;
	return level;
}

/* QMP says why a machine ended. Its one command comes from a file, because
 * there is nobody to type it; a QEMU before 8.0 has no input-path. */
static void add_qmp(struct args *a, const struct wires *w, int level)
{
	args_add(a, "-chardev");
	if (level > 0)
		args_add(a, "pipe,id=qmp,path=/tmp/monitor");
	else
		args_addf(a,
			  "file,id=qmp,path=/dev/fd/%d,input-path=/dev/fd/%d",
			  w->qmp_out, w->qmp_in);
	args_add(a, "-mon");
	args_add(a, "chardev=qmp,mode=control");
}

static void add_words(struct args *a, const struct args *words)
{
	for (size_t i = 0; i < words->n; i++)
		args_add(a, words->v[i]);
}

static void add_firmware_folders(struct args *a, const struct cache *c)
{
	char *copy = format_string("%s", c->emulator_data), *rest = copy, *dir;

	while ((dir = strsep(&rest, ",")))
		if (*dir) {
			args_add(a, "-L");
			args_add(a, dir);
		}
	free(copy);
}

/* Exactness: one thread runs all CPUs, time is the count of instructions,
 * random numbers and the date are fixed. See doc/emulator.md. */
static void add_outer(struct args *a, const struct spec *s,
		      const struct cache *c)
{
	add_firmware_folders(a, c);
	args_add(a, "-accel");
	if (s->accel == ACCEL_KVM) {
		args_add(a, "kvm");
	} else if (s->exact) {
		args_add(a, "tcg,thread=single");
		args_add(a, "-icount");
		args_add(a, "shift=0,sleep=off");
		args_add(a, "-seed");
		args_add(a, "1");
		args_add(a, "-rtc");
		args_add(a, "base=2020-01-01,clock=vm");
	} else {
		args_add(a, "tcg,thread=multi");
	}
	args_add(a, "-cpu");
	args_add(a, s->accel == ACCEL_KVM ? "host" : s->cpu);
	add_words(a, &s->plugin);
}

static void add_inner(struct args *a)
{
	args_add(a, "-accel");
	args_add(a, "kvm");
	args_add(a, "-cpu");
	args_add(a, "host");
}

/*
 * qboot starts a kernel at every level. SeaBIOS, the default of QEMU's PCs,
 * loses a software interrupt in L2 (doc/emulator.md); who names a machine gets
 * it as QEMU has it.
 */
static void add_firmware(struct args *a, const struct spec *s, int level)
{
	const char *name = level == 0 ? NULL : "qboot.rom";

	if (spec_is_guest(s, level) && s->machine)
		name = NULL;
	if (level == spec_guest_machine(s) && s->bios)
		name = s->bios;
	if (!name)
		return;
	args_add(a, "-bios");
	args_add(a, name);
}

/* Images are NVDIMMs, which need a place; a microvm cannot have any. */
static void add_type(struct args *a, const struct spec *s, int level)
{
	const char *name = "pc";
	long mib = s->mem[level] / MIB;

	if (spec_is_guest(s, level) && s->machine)
		name = s->machine;
	args_add(a, "-M");
	if (spec_is_microvm(s, level)) {
		args_add(a, name);
		args_add(a, "-m");
		args_addf(a, "%ldM", mib);
		return;
	}
	args_addf(a, "%s,nvdimm=on", name);
	args_add(a, "-m");
	args_addf(a, "%ldM,slots=4,maxmem=%ldM", mib, mib + 8192);
}

/* One for each level from this one up. */
static int machine_ports(const struct spec *s, int level)
{
	return s->stack.guest_level - level + 1;
}

void machine_args(struct args *a, const struct spec *s, const struct cache *c,
		  const struct wires *w, int level)
{
	args_add(a, level == 0 ? c->emulator : "qemu-system-x86_64");
	if (level == 0)
		add_outer(a, s, c);
	else
		add_inner(a);
	add_firmware(a, s, level);
	add_type(a, s, level);
	args_add(a, "-smp");
	args_addf(a, "%ld", s->cpus[level]);
	args_add(a, "-nodefaults");
	args_add(a, "-display");
	args_add(a, "none");
	args_add(a, "-no-reboot");
	for (int port = 0; port < machine_ports(s, level); port++)
		add_console(a, s, w, level, console_of(s, level, port));
	add_qmp(a, w, level);
	boot_args(a, s, c, w, level);
	if (level == spec_guest_machine(s))
		add_words(a, &s->guest_qemu);
	if (level == 0)
		add_words(a, &s->qemu); /* last, so that they can override */
}
