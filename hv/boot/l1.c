/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/boot/l1.h"

#include "hv/boot/linux.h"
#include "hv/boot/multiboot1.h"
#include "hv/boot/payload.h"
#include "hv/mem.h"
#include "hv/ptable.h"
#include "lib/string.h"

#define LOW_START	0x10000ull /* above the BIOS's data */
#define LOW_END		0x90000ull /* below the EBDA */
#define TABLES		6ull	   /* PML4, PDPT and four directories: 4 GiB */
#define INITRD_END	0x80000000ull
#define MULTIBOOT_BLOCK 0x4000
#define RSDP_SIZE	36 /* ACPI 6.4, 5.2.5.3 */

struct layout {
	struct bootinfo *boot;
	const struct options *options;
	bool is_linux;
	struct linux_image kernel;
	struct payload payload;
	/* What is in the way of what comes next; grows as L1 does. */
	struct mem_range busy[BOOT_MODULES + 8];
	size_t n;
};

static u64 take(struct layout *l, u64 start, u64 size)
{
	l->busy[l->n++] = (struct mem_range){start, start + size, MEM_RAM};
	return start;
}

static u64 take_low(struct layout *l, u64 size)
{
	struct mem_want w = {.size = size,
			     .align = PAGE_SIZE,
			     .min = LOW_START,
			     .max = LOW_END,
			     .busy = l->busy,
			     .n_busy = l->n};
	u64 at = memmap_find_low(&l->boot->map, &w);

	return at == MEM_NONE ? at : take(l, at, size);
}

/* GRUB puts modules low, where L1 wants to be: up with them, but not beyond
 * what an old kernel takes as an initrd. Modules are busy[0] and following. */
static int move_modules(struct layout *l, const char **why)
{
	for (size_t i = 0; i < l->boot->n_modules; i++) {
		struct boot_module *m = &l->boot->module[i];
		struct mem_want w = {.size = m->end - m->start,
				     .align = PAGE_SIZE,
				     .min = HV_LOAD,
				     .max = INITRD_END,
				     .busy = l->busy,
				     .n_busy = l->n};
		u64 to = w.size ? memmap_find_high(&l->boot->map, &w) : 0;

		if (to == MEM_NONE)
			return refuse(why, "no memory for the modules");
		memcpy(phys_to_virt(to), phys_to_virt(m->start), w.size);
		l->busy[i] = (struct mem_range){to, to + w.size, MEM_RAM};
		m->start = to;
		m->end = to + w.size;
	}
	return 0;
}

/* A file whose segments lie where they go already is not in the way. */
static int try_place(struct layout *l, const char **why)
{
	const struct mem_map *map = &l->boot->map;
	const struct plan *plan =
		l->is_linux ? &l->kernel.plan : &l->payload.plan;
	size_t skip = plan_in_place(plan, l->boot->module[0].start);
	const struct mem_range *busy = l->busy + skip;

	if (l->is_linux)
		return linux_place(&l->kernel, map, busy, l->n - skip, why);
	return payload_place(&l->payload, map, busy, l->n - skip, why);
}

static int place(struct layout *l, const char **why)
{
	if (!try_place(l, why))
		return 0;
	return move_modules(l, why) < 0 ? -1 : try_place(l, why);
}

static void copy_segments(const struct plan *plan, u64 file)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_segment *s = &plan->segment[i];

		if (s->dest != file + s->offset)
			memcpy(phys_to_virt(s->dest),
			       phys_to_virt(file + s->offset), s->file_size);
	}
}

/* Linux does so itself: its own decompressor leaves anything there. */
static void clear_rests(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_segment *s = &plan->segment[i];

		memset(phys_to_virt(s->dest + s->file_size), 0,
		       s->mem_size - s->file_size);
	}
}

/* Long mode needs page tables from the start: 4 GiB, one to one. */
static u64 identity_tables(u64 at)
{
	u64 *table = memset(phys_to_virt(at), 0, TABLES * PAGE_SIZE);
	u64 *pdpt = table + PTES_PER_TABLE, *pd = pdpt + PTES_PER_TABLE;

	table[0] = (at + PAGE_SIZE) | PTE_TABLE;
	for (u64 gib = 0; gib < TABLES - 2; gib++)
		pdpt[gib] = (at + (2 + gib) * PAGE_SIZE) | PTE_TABLE;
	for (u64 i = 0; i < (TABLES - 2) * PTES_PER_TABLE; i++)
		pd[i] = i * SIZE_2M | PTE_TABLE | PTE_LARGE;
	return at;
}

static u64 put_text(struct layout *l, const char *text)
{
	size_t size = strlen(text) + 1;
	u64 at = take_low(l, size);

	if (at != MEM_NONE)
		memcpy(phys_to_virt(at), text, size);
	return at;
}

/*
 * Multiboot 2's copy of the root pointer lies in the loader's block, where L1
 * goes. An own copy stays: in memory that L1's map calls ACPI's.
 */
static int keep_rsdp(struct layout *l, const char **why)
{
	struct bootinfo *boot = l->boot;
	u64 old = boot->rsdp, at;

	if (!old || !memmap_is_ram(&boot->map, old, old + RSDP_SIZE))
		return 0;
	at = take_low(l, PAGE_SIZE);
	if (at == MEM_NONE ||
	    memmap_set(&boot->map, at, at + PAGE_SIZE, MEM_ACPI) < 0)
		return refuse(why, "no free memory for ACPI's root pointer");
	memcpy(phys_to_virt(at), phys_to_virt(old), RSDP_SIZE);
	boot->rsdp = at;
	return 0;
}

static int load_linux(struct layout *l, struct start *start, const char **why)
{
	struct linux_image *im = &l->kernel;
	const struct bootinfo *boot = l->boot;
	const struct boot_module *kernel = &boot->module[0];
	const char *line = options_l1(l->options, kernel->cmdline);
	struct linux_boot b = {.map = &boot->map};
	u64 params, tables;

	if (keep_rsdp(l, why) < 0 || place(l, why) < 0)
		return -1;
	take(l, im->plan.low, im->init_size);
	if (boot->n_modules > 1) {
		b.initrd = boot->module[1].start;
		b.initrd_size = boot->module[1].end - b.initrd;
	}
	b.rsdp = boot->rsdp;
	b.cmdline = put_text(l, line);
	b.cmdline_length = strlen(line);
	params = take_low(l, PAGE_SIZE);
	tables = take_low(l, TABLES * PAGE_SIZE);
	if (b.cmdline == MEM_NONE || params == MEM_NONE || tables == MEM_NONE)
		return refuse(why, "no free memory below 640 KiB");
	if (linux_fill(phys_to_virt(params), im, phys_to_virt(kernel->start),
		       &b, why) < 0)
		return -1;
	copy_segments(&im->plan, kernel->start);
	*start = (struct start){.mode = im->long_mode ? START_LONG
						      : START_PROTECTED,
				.rip = im->plan.entry,
				.rsi = params,
				.cr3 = identity_tables(tables)};
	return 0;
}

static int load_payload(struct layout *l, struct start *start, const char **why)
{
	struct payload *payload = &l->payload;
	struct bootinfo *boot = l->boot;
	const struct boot_module *first = &boot->module[0];
	struct payload_boot b = {
		.cmdline = first->cmdline, /* with the file, as by QEMU */
		.module = first + 1,
		.n_modules = boot->n_modules - 1,
		.map = &boot->map,
	};
	u64 at = take_low(l, MULTIBOOT_BLOCK);
	struct payload_block block = {
		.to = phys_to_virt(at), .size = MULTIBOOT_BLOCK, .pa = at};

	if (at == MEM_NONE)
		return refuse(why, "no free memory below 640 KiB");
	if (place(l, why) < 0 || payload_fill(payload, &block, &b, why) < 0)
		return -1;
	copy_segments(&payload->plan, first->start);
	clear_rests(&payload->plan);
	*start = (struct start){
		.rip = payload->plan.entry, .rax = MULTIBOOT1_MAGIC, .rbx = at};
	return 0;
}

int l1_load(struct start *start, struct bootinfo *boot,
	    const struct options *options, const char **why)
{
	const struct boot_module *first = &boot->module[0];
	struct layout l = {.boot = boot, .options = options};
	const void *file = phys_to_virt(first->start);
	u64 size = first->end - first->start;

	l.n = bootinfo_busy(boot, l.busy);
	l.is_linux = !payload_is(file, size);
	if (l.is_linux)
		return linux_check(&l.kernel, file, size, why) < 0
			       ? -1
			       : load_linux(&l, start, why);
	return payload_check(&l.payload, file, size, why) < 0
		       ? -1
		       : load_payload(&l, start, why);
}
