/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A Linux level itself, with its page cache of the tools image. */
#define LEVEL_MEM (640 * MIB)

/* What nestbox.elf keeps, and what it needs to find that in one piece. */
#define NESTBOX_MEM (128 * MIB)

/* One image that a machine gets as RAM. */
struct nvdimm {
	const char *id;
	const char *path;
	long size;
	bool writable;
};

static bool is_guest(const struct spec *s, int level)
{
	return level == s->stack.guest_level;
}

long machine_min_mem(const struct spec *s, int level)
{
	if (stack_is_nestbox(&s->stack, level))
		return s->mem[level + 1] + NESTBOX_MEM;
	if (!spec_is_linux(s, level))
		return 2 * MIB;
	return is_guest(s, level) ? 192 * MIB : s->mem[level + 1] + 384 * MIB;
}

long machine_default_mem(const struct spec *s, int level, long above)
{
	if (stack_is_nestbox(&s->stack, level))
		return above + NESTBOX_MEM;
	if (!is_guest(s, level))
		return above + LEVEL_MEM;
	return s->guest == GUEST_LINUX ? 512 * MIB : 128 * MIB;
}

/* A comma in an option's value is written twice. The caller frees it. */
static char *double_commas(const char *path)
{
	char *twice = format_string("%s%s", path, path), *to = twice;

	for (; *path; path++) {
		*to++ = *path;
		if (*path == ',')
			*to++ = ',';
	}
	*to = '\0';
	return twice;
}

static void add_nvdimm(struct args *a, const struct nvdimm *image)
{
	char *path = double_commas(image->path);

	args_add(a, "-object");
	args_addf(a,
		  "memory-backend-file,id=%s,mem-path=%s,size=%ld,share=on,"
		  "readonly=%s",
		  image->id, path, image->size, image->writable ? "off" : "on");
	args_add(a, "-device");
	args_addf(a, "nvdimm,id=%s-dimm,memdev=%s,unarmed=%s", image->id,
		  image->id, image->writable ? "off" : "on");
	free(path);
}

static void add_images(struct args *a, const struct cache *c,
		       const struct wires *w, int level)
{
	char job[32] = "/dev/job", out[32] = "/dev/out";

	if (level == 0) {
		snprintf(job, sizeof(job), "/dev/fd/%d", w->job);
		snprintf(out, sizeof(out), "/dev/fd/%d", w->out);
	}
	add_nvdimm(a, &(struct nvdimm){
			      .id = "tools",
			      .path = level == 0 ? c->tools : "/dev/tools",
			      .size = c->tools_size,
		      });
	add_nvdimm(a, &(struct nvdimm){
			      .id = "job", .path = job, .size = w->job_size});
	if (w->out >= 0)
		add_nvdimm(a, &(struct nvdimm){.id = "out",
					       .path = out,
					       .size = w->out_size,
					       .writable = true});
}

/* Linux waits for no device, prints errors only and never leaves an oops to
 * a hang. nokaslr and mitigations=off: the same addresses and code on every
 * CPU model, so that runs repeat and sites can be told by address. */
static char *linux_words(const struct spec *s, int level)
{
	bool more = is_guest(s, level) && s->append;

	return format_string(
		"console=ttyS0 loglevel=3 panic=-1 oops=panic nokaslr "
		"mitigations=off%s nb.level=%d%s%s",
		s->no_thp ? " transparent_hugepage=never" : "", level,
		more ? " " : "", more ? s->append : "");
}

static void add_linux(struct args *a, const struct spec *s,
		      const struct cache *c, int level)
{
	char *words = linux_words(s, level);

	args_add(a, "-kernel");
	args_add(a, level == 0 ? c->kernel : "/boot/vmlinux");
	args_add(a, "-initrd");
	args_add(a, level == 0 ? c->initrd : "/boot/level.cpio");
	args_add(a, "-append");
	args_add(a, words);
	free(words);
}

/* What a payload finds in its machine beside a PC. */
static void add_payload_devices(struct args *a)
{
	args_add(a, "-device");
	args_add(a, "isa-debug-exit,iobase=0xf4,iosize=4");
	args_add(a, "-device");
	args_add(a, "pci-testdev");
}

/* QEMU takes modules of a multiboot kernel from -initrd: file, words and a
 * comma before the next one. L0 speaks on COM2: COM1 is L1's. */
static void add_nestbox(struct args *a, const struct spec *s,
			const struct cache *c, const struct wires *w)
{
	bool is_linux = s->guest == GUEST_LINUX;
	char *image = built_path("nestbox.elf"), *first, *twice;
	char *words = is_linux
			      ? linux_words(s, 1)
			      : format_string("%s", s->append ? s->append : "");

	args_add(a, "-kernel");
	args_add(a, image);
	args_add(a, "-append");
	args_addf(a, "com=com2 panic=reset%s%s", s->hv ? " " : "",
		  s->hv ? s->hv : "");
	args_add(a, "-initrd");
	first = format_string("%s %s", is_linux ? c->kernel : s->payload,
			      words);
	twice = double_commas(first);
	args_addf(a, "%s%s%s", twice, is_linux ? "," : "",
		  is_linux ? c->initrd : "");
	if (is_linux)
		add_images(a, c, w, 0);
	else
		add_payload_devices(a);
	free(image);
	free(words);
	free(first);
	free(twice);
}

static void add_payload(struct args *a, const struct spec *s, int level)
{
	add_payload_devices(a);
	args_add(a, "-kernel");
	args_add(a, level == 0 ? s->payload : "/job/guest");
	if (s->append) {
		args_add(a, "-append");
		args_add(a, s->append);
	}
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

/* Which level's console @port of @level's machine is, in the machine's own
 * count. nestbox.elf leaves COM1 to its guest and takes COM2. */
static int console_of(const struct spec *s, int level, int port)
{
	if (stack_is_nestbox(&s->stack, level) && port - level < 2)
		return 1 - (port - level);
	return port - level;
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

/* qboot starts a kernel at every level. SeaBIOS, QEMU's default, loses a
 * software interrupt in L2 (doc/emulator.md). */
static void add_firmware(struct args *a, const struct spec *s, int level)
{
	const char *name = level == 0 ? NULL : "qboot.rom";

	if (s->bios && !spec_is_linux(s, level))
		name = s->bios;
	if (!name)
		return;
	args_add(a, "-bios");
	args_add(a, name);
}

static void add_guest(struct args *a, const struct spec *s,
		      const struct cache *c, const struct wires *w, int level)
{
	if (stack_is_nestbox(&s->stack, level)) {
		add_nestbox(a, s, c, w);
		return;
	}
	if (!spec_is_linux(s, level)) {
		add_payload(a, s, level);
		return;
	}
	add_linux(a, s, c, level);
	add_images(a, c, w, level);
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
	args_add(a, "-M");
	args_add(a, "pc,nvdimm=on");
	args_add(a, "-m");
	args_addf(a, "%ldM,slots=4,maxmem=%ldM", s->mem[level] / MIB,
		  s->mem[level] / MIB + 8192);
	args_add(a, "-smp");
	args_addf(a, "%ld", s->cpus[level]);
	args_add(a, "-nodefaults");
	args_add(a, "-display");
	args_add(a, "none");
	args_add(a, "-no-reboot");
	for (int port = level; port <= s->stack.guest_level; port++)
		add_console(a, s, w, level, console_of(s, level, port));
	add_qmp(a, w, level);
	add_guest(a, s, c, w, level);
	if (level == 0)
		add_words(a, &s->qemu); /* last, so that they can override */
}
