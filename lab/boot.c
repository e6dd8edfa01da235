/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/job.h"

/* One image that a machine gets. */
struct image {
	const char *id;
	const char *path;
	long size;
	bool writable;
};

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

/* As RAM: nothing of it is read by a device, in nobody's time. */
static void add_nvdimm(struct args *a, const struct image *image,
		       const char *path)
{
	args_add(a, "-object");
	args_addf(a,
		  "memory-backend-file,id=%s,mem-path=%s,size=%ld,share=on,"
		  "readonly=%s",
		  image->id, path, image->size, image->writable ? "off" : "on");
	args_add(a, "-device");
	args_addf(a, "nvdimm,id=%s-dimm,memdev=%s,unarmed=%s", image->id,
		  image->id, image->writable ? "off" : "on");
}

static void add_disk(struct args *a, const struct image *image,
		     const char *path)
{
	args_add(a, "-drive");
	args_addf(a, "if=none,id=%s,file=%s,format=raw,readonly=%s", image->id,
		  path, image->writable ? "off" : "on");
	args_add(a, "-device");
	args_addf(a, "virtio-blk-device,drive=%s", image->id);
}

static void add_image(struct args *a, const struct spec *s, int level,
		      const struct image *image)
{
	char *path = double_commas(image->path);

	if (spec_is_microvm(s, level))
		add_disk(a, image, path);
	else
		add_nvdimm(a, image, path);
	free(path);
}

static void add_images(struct args *a, const struct spec *s,
		       const struct cache *c, const struct wires *w, int level)
{
	char job[32] = "/dev/job", out[32] = "/dev/out";

	if (level == 0) {
		snprintf(job, sizeof(job), "/dev/fd/%d", w->job);
		snprintf(out, sizeof(out), "/dev/fd/%d", w->out);
	}
	add_image(a, s, level,
		  &(struct image){
			  .id = "tools",
			  .path = level == 0 ? c->tools : "/dev/tools",
			  .size = c->tools_size,
		  });
	add_image(
		a, s, level,
		&(struct image){.id = "job", .path = job, .size = w->job_size});
	if (w->out >= 0)
		add_image(a, s, level,
			  &(struct image){.id = "out",
					  .path = out,
					  .size = w->out_size,
					  .writable = true});
}

/* Linux waits for no device, prints errors only and never leaves an oops to
 * a hang. nokaslr and mitigations=off: the same addresses and code on every
 * CPU model, so that runs repeat and sites can be told by address. */
static char *linux_words(const struct spec *s, int level)
{
	bool more = spec_is_guest(s, level) && s->append;

	return format_string(
		"console=ttyS0 loglevel=3 panic=-1 oops=panic nokaslr "
		"mitigations=off%s nb.level=%d%s%s%s",
		s->no_thp ? " transparent_hugepage=never" : "", level,
		spec_is_microvm(s, level) ? " nb.images=disk" : "",
		more ? " " : "", more ? s->append : "");
}

/* Files of the Linux at @level: of this machine, the images or the job. */
static void add_linux_files(struct args *a, const struct spec *s,
			    const struct cache *c, int level)
{
	const char *kernel = level == 0 ? c->kernel : "/boot/vmlinux";
	const char *initrd = level == 0 ? c->initrd : "/boot/level.cpio";

	if (spec_is_i386(s, level)) {
		kernel = "/job/kernel";
		initrd = "/job/initrd";
	}
	args_add(a, "-kernel");
	args_add(a, kernel);
	args_add(a, "-initrd");
	args_add(a, initrd);
}

static void add_linux(struct args *a, const struct spec *s,
		      const struct cache *c, const struct wires *w, int level)
{
	char *words = linux_words(s, level);

	add_linux_files(a, s, c, level);
	args_add(a, "-append");
	args_add(a, words);
	free(words);
	if (!spec_is_i386(s, level))
		add_images(a, s, c, w, level);
}

/* What a payload finds in its machine beside a PC; a microvm has no PCI. */
static void add_payload_devices(struct args *a, const struct spec *s, int level)
{
	args_add(a, "-device");
	args_add(a, "isa-debug-exit,iobase=0xf4,iosize=4");
	if (spec_is_microvm(s, level))
		return;
	args_add(a, "-device");
	args_add(a, "pci-testdev");
}

int boot_port(const struct spec *s, int level)
{
	int guest = stack_nestboxes(&s->stack);

	return level < guest ? s->stack.guest_level - level : level - guest;
}

/* The options of the nestbox.elf at @level. */
static char *nestbox_words(const struct spec *s, int level)
{
	static const char *const port[] = {"com1", "com2", "0x3e8", "0x2e8"};
	bool more = level == 0 && s->hv;

	return format_string("com=%s panic=reset%s%s",
			     port[boot_port(s, level)], more ? " " : "",
			     more ? s->hv : "");
}

/* QEMU takes modules of a multiboot kernel from -initrd: file, words and a
 * comma before the next one. */
static void add_module(char **list, const char *file, const char *words)
{
	char *module = format_string("%s%s%s", file, words ? " " : "",
				     words ? words : "");
	char *twice = double_commas(module), *old = *list;

	*list = format_string("%s%s%s", old ? old : "", old ? "," : "", twice);
	free(old);
	free(twice);
	free(module);
}

/* What the user gives the payload beside itself: at L0 with the names that the
 * user has for it, above with the job's. */
static void add_payload_modules(char **list, const struct spec *s, int level)
{
	for (size_t i = 0; i < s->modules.n; i++) {
		const char *module = s->modules.v[i];
		const char *words = strchr(module, ' ');
		char *member = job_module_member(s, i);
		char *path = format_string("/job/%s", member);

		if (level == 0)
			add_module(list, module, NULL);
		else
			add_module(list, path, words ? words + 1 : NULL);
		free(member);
		free(path);
	}
}

/* What the last nestbox.elf starts, at @level. */
static void add_guest_modules(char **list, const struct spec *s,
			      const struct cache *c, int level)
{
	char *words;

	if (!spec_is_linux(s, level)) {
		add_module(list, s->payload, s->append ? s->append : "");
		add_payload_modules(list, s, 0);
		return;
	}
	words = linux_words(s, level);
	add_module(list, c->kernel, words);
	add_module(list, c->initrd, NULL);
	free(words);
}

static void add_nestbox(struct args *a, const struct spec *s,
			const struct cache *c, const struct wires *w)
{
	int guest = stack_nestboxes(&s->stack);
	char *image = built_path("nestbox.elf"), *list = NULL;
	char *words = nestbox_words(s, 0);

	args_add(a, "-kernel");
	args_add(a, image);
	args_add(a, "-append");
	args_add(a, words);
	for (int level = 1; level < guest; level++) {
		free(words);
		words = nestbox_words(s, level);
		add_module(&list, image, words);
	}
	add_guest_modules(&list, s, c, guest);
	args_add(a, "-initrd");
	args_add(a, list);
	if (spec_is_linux(s, guest))
		add_images(a, s, c, w, 0);
	else
		add_payload_devices(a, s, 0);
	free(image);
	free(words);
	free(list);
}

static void add_payload(struct args *a, const struct spec *s, int level)
{
	char *modules = NULL;

	add_payload_devices(a, s, level);
	args_add(a, "-kernel");
	args_add(a, level == 0 ? s->payload : "/job/guest");
	if (s->append) {
		args_add(a, "-append");
		args_add(a, s->append);
	}
	add_payload_modules(&modules, s, level);
	if (modules) {
		args_add(a, "-initrd");
		args_add(a, modules);
	}
	free(modules);
}

void boot_args(struct args *a, const struct spec *s, const struct cache *c,
	       const struct wires *w, int level)
{
	if (stack_is_nestbox(&s->stack, level))
		add_nestbox(a, s, c, w);
	else if (spec_is_linux(s, level))
		add_linux(a, s, c, w, level);
	else
		add_payload(a, s, level);
}
