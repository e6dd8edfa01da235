/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for what the hypervisor reads while it starts: the loader's
 * blocks, kernels, payloads, ACPI tables, its command line; and for the map of
 * memory. The first byte chooses, the rest is the input. Besides what the
 * sanitizers see, it stops on results that break a promise of a header.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/acpi.h"
#include "hv/boot/bootinfo.h"
#include "hv/boot/linux.h"
#include "hv/boot/options.h"
#include "hv/boot/payload.h"
#include "hv/ivrs.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define MIB	  (1ull << 20)
#define RAM_START 0x400 /* has the pointer to the EBDA */

/* The input is all memory there is. */
struct ram {
	u8 *bytes;
	u64 size;
};

static const void *map(void *ctx, u64 pa, u64 len)
{
	const struct ram *r = ctx;

	if (pa < RAM_START || pa - RAM_START > r->size ||
	    len > r->size - (pa - RAM_START))
		return NULL;
	return r->bytes + (pa - RAM_START);
}

static void require(bool true_thing)
{
	if (!true_thing)
		abort();
}

static void require_reason(const char *why)
{
	require(why && *why);
}

static void require_sane(const struct mem_map *m)
{
	require(m->n <= MEM_RANGES);
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->range[i];

		require(r->start < r->end);
		require(i == 0 || r[-1].end < r->start ||
			(r[-1].end == r->start && r[-1].type != r->type));
	}
}

static void require_text(const char *text, size_t size)
{
	require(memchr(text, '\0', size));
}

static void fuzz_bootinfo(struct ram *ram, u32 magic)
{
	static struct bootinfo b;
	struct phys p = {.map = map, .ctx = ram};
	const char *why = NULL;

	if (bootinfo_parse(&b, &p, magic, RAM_START, &why) < 0) {
		require_reason(why);
		return;
	}
	require_sane(&b.map);
	require(b.n_modules <= BOOT_MODULES);
	require_text(b.cmdline, sizeof(b.cmdline));
	for (size_t i = 0; i < b.n_modules; i++) {
		require(b.module[i].start <= b.module[i].end);
		require_text(b.module[i].cmdline, BOOT_MODULE_LINE);
	}
}

static void require_plan(const struct plan *p, u64 size)
{
	require(p->n <= PLAN_SEGMENTS);
	require(plan_has_entry(p));
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_segment *s = &p->segment[i];

		require(s->file_size <= s->mem_size);
		require(s->offset <= size && s->file_size <= size - s->offset);
		require(p->low <= s->dest && s->dest + s->mem_size <= p->high);
	}
}

/* 6 GiB without the BIOS's memory and the hole below 4 GiB. */
static struct mem_map machine(void)
{
	struct mem_map m = {0};

	memmap_add(&m, 0, 0x9fc00, MEM_RAM);
	memmap_add(&m, 0x9fc00, 0x100000, MEM_RESERVED);
	memmap_add(&m, MIB, 3072 * MIB, MEM_RAM);
	memmap_add(&m, 4096 * MIB, 7168 * MIB, MEM_RAM);
	return m;
}

static const struct mem_range busy = {64 * MIB, 65 * MIB, MEM_RESERVED};

static void require_placed(const struct plan *p, const struct mem_map *m)
{
	for (size_t i = 0; i < p->n; i++) {
		u64 start = p->segment[i].dest;
		u64 end = start + p->segment[i].mem_size;

		require(memmap_is_ram(m, start, end));
		require(end <= busy.start || start >= busy.end);
	}
	require(p->high <= 1ull << 32);
}

static void fuzz_linux(const u8 *file, u64 size)
{
	struct mem_map m = machine();
	struct linux_boot boot = {.cmdline = 0x90000, .map = &m};
	struct linux_params params;
	struct linux_image im;
	const char *why = NULL;

	if (linux_check(&im, file, size, &why) < 0 ||
	    linux_place(&im, &m, &busy, 1, &why) < 0) {
		require_reason(why);
		return;
	}
	require_plan(&im.plan, size);
	require_placed(&im.plan, &m);
	boot.cmdline_length = im.cmdline_size;
	require(linux_fill(&params, &im, file, &boot, &why) == 0);
	require(params.e820_entries == m.n);
}

/* What is told to a payload can be read back. */
static void require_block(const struct payload *l, const struct mem_map *m)
{
	static const struct boot_module module = {4096, 5000, "module"};
	static struct bootinfo b;
	struct payload_boot boot = {"line", &module, 1, m};
	struct ram ram = {calloc(1, 8192), 8192};
	struct payload_block block = {ram.bytes, ram.size, RAM_START};
	struct phys p = {.map = map, .ctx = &ram};
	const char *why = NULL;

	require(ram.bytes && payload_fill(l, &block, &boot, &why) > 0);
	require(!bootinfo_parse(&b, &p, MULTIBOOT1_MAGIC, RAM_START, &why));
	require(b.map.n == m->n && b.n_modules == 1);
	require(!strcmp(b.cmdline, "line"));
	free(ram.bytes);
}

static void fuzz_payload(const u8 *file, u64 size)
{
	struct mem_map m = machine();
	struct payload l;
	const char *why = NULL;

	if (payload_check(&l, file, size, &why) < 0 ||
	    payload_place(&l, &m, &busy, 1, &why) < 0) {
		require_reason(why);
		return;
	}
	require(payload_is(file, size));
	require_plan(&l.plan, size);
	require_placed(&l.plan, &m);
	require_block(&l, &m);
}

/* Makes the bytes add up to 0 by changing the one at @at. */
static void seal(struct ram *ram, u64 pa, u64 n, u64 at)
{
	u8 *bytes, total = 0;

	if (n <= at || !map(ram, pa, n))
		return;
	bytes = ram->bytes + (pa - RAM_START);
	bytes[at] = 0;
	for (u64 i = 0; i < n; i++)
		total = (u8)(total + bytes[i]);
	bytes[at] = (u8)-total;
}

static u64 value_at(struct ram *ram, u64 pa, size_t n)
{
	const void *from = map(ram, pa, n);
	u64 value = 0;

	if (from)
		memcpy(&value, from, n);
	return value;
}

static void seal_table(struct ram *ram, u64 pa)
{
	seal(ram, pa, value_at(ram, pa + 4, 4), 9);
}

/* A fuzzer does not guess checksums. */
static void seal_all(struct ram *ram)
{
	u64 root[] = {value_at(ram, RAM_START + 16, 4),
		      value_at(ram, RAM_START + 24, 8)};

	for (size_t r = 0; r < 2; r++) {
		size_t entry = r ? 8 : 4;

		for (size_t i = 0; i < 8; i++)
			seal_table(ram, value_at(ram, root[r] + 36 + i * entry,
						 entry));
		seal_table(ram, root[r]);
	}
	seal(ram, RAM_START, 20, 8);
	seal(ram, RAM_START, 36, 32);
}

/* No table that we hide may be left. */
static void require_rewritten(const struct acpi *a)
{
	static const char hide[][4] = {{'A', 'P', 'I', 'C'}};
	struct acpi_edit edit = {hide, 1, NULL, 0};
	struct ram ram = {calloc(1, 8192), 8192};
	struct acpi_writer w = {.to = ram.bytes, .size = 8192};
	struct phys p = {.map = map, .ctx = &ram};
	const char *why = NULL;
	struct acpi b;

	require(ram.bytes && acpi_rewrite(a, &edit, &w, RAM_START, &why) > 0);
	require(acpi_open(&b, &p, RAM_START, &why) == 0);
	require(b.n <= a->n && b.entry_size == 8);
	for (u32 i = 0; i < b.n; i++) {
		u64 pa = value_at(&ram, b.root + 36 + i * 8ull, 8);
		const void *name = a->phys.map(a->phys.ctx, pa, 4);

		require(name && memcmp(name, "APIC", 4) != 0);
	}
	free(ram.bytes);
}

static void fuzz_ivrs(const struct acpi *a)
{
	const struct acpi_header *table = acpi_table(a, "IVRS", NULL);
	const char *why = NULL;
	struct ivrs ivrs;

	if (!table)
		return;
	if (ivrs_list(&ivrs, table, &why) < 0) {
		require_reason(why);
		return;
	}
	require(ivrs.n > 0 && ivrs.n <= IVRS_IOMMUS);
	for (size_t i = 0; i < ivrs.n; i++)
		require(ivrs.base[i] && ivrs.base[i] % IOMMU_ALIGNED == 0);
}

/* The first byte of memory tells whether to search and to mend checksums. */
static void fuzz_acpi(struct ram *ram)
{
	struct phys p = {.map = map, .ctx = ram};
	u8 how = ram->size ? ram->bytes[0] : 0;
	static struct acpi_cpus c;
	const char *why = NULL;
	struct acpi a;

	if (ram->size)
		ram->bytes[0] = 'R';
	if (!(how & 1))
		seal_all(ram);
	if (acpi_open(&a, &p, how & 2 ? 0 : RAM_START, &why) < 0) {
		require_reason(why);
		return;
	}
	if (acpi_list_cpus(&a, &c, &why) < 0)
		require_reason(why);
	require(c.n <= ACPI_CPUS);
	fuzz_ivrs(&a);
	require_rewritten(&a);
}

static void require_found(const struct mem_map *m, const struct mem_want *w)
{
	u64 found[] = {memmap_find_low(m, w), memmap_find_high(m, w)};

	require((found[0] == MEM_NONE) == (found[1] == MEM_NONE));
	require(found[0] <= found[1]);
	for (size_t i = 0; i < 2 && found[i] != MEM_NONE; i++) {
		u64 end = found[i] + w->size;

		require(memmap_is_ram(m, found[i], end));
		require(found[i] >= w->min && end <= w->max);
		require(found[i] % w->align == 0);
		for (size_t b = 0; b < w->n_busy; b++)
			require(end <= w->busy[b].start ||
				found[i] >= w->busy[b].end);
	}
}

/* 12 bytes an operation; ranges at both ends of all addresses. */
static void fuzz_memmap(const u8 *data, size_t size)
{
	struct mem_range taken[4] = {0};
	struct mem_map m = {0};

	for (size_t n = 0; size >= 12; data += 12, size -= 12, n++) {
		u64 start, length = 0, end;
		int failed = 0;

		memcpy(&start, data, 8);
		memcpy(&length, data + 8, 3);
		start = (u64)((int64_t)start >> (data[11] >> 2 & 0x3c));
		end = start + length < start ? ~0ull : start + length;
		if ((data[11] & 3) == 0)
			failed = memmap_add(&m, start, end, data[8] & 7);
		else if ((data[11] & 3) == 1)
			failed = memmap_set(&m, start, end, data[8] & 7);
		else if ((data[11] & 3) == 2)
			failed = memmap_cut(&m, start, end);
		else
			taken[n % 4] = (struct mem_range){start, end, 0};
		if (failed)
			return;
		require_sane(&m);
		require_found(&m, &(struct mem_want){
					  .size = length + 1,
					  .align = 1ull << (data[0] & 63),
					  .min = data[1],
					  .max = ~0ull - data[2],
					  .busy = taken,
					  .n_busy = 4,
				  });
	}
}

static void fuzz_options(const char *line)
{
	struct options o;
	const char *why = NULL;

	if (options_parse(&o, line, &why) < 0)
		require_reason(why);
	else
		require(o.mem >= 16 * MIB && o.mem <= 1024 * MIB &&
			o.mem % (2 * MIB) == 0);
	options_l1(&o, line);
}

static void run(unsigned which, struct ram *ram)
{
	switch (which % 7) {
	case 0:
		fuzz_bootinfo(ram, MULTIBOOT1_MAGIC);
		break;
	case 1:
		fuzz_bootinfo(ram, MULTIBOOT2_MAGIC);
		break;
	case 2:
		fuzz_linux(ram->bytes, ram->size);
		break;
	case 3:
		fuzz_payload(ram->bytes, ram->size);
		break;
	case 4:
		fuzz_acpi(ram);
		break;
	case 5:
		fuzz_memmap(ram->bytes, ram->size);
		break;
	case 6:
		if (ram->size && !ram->bytes[ram->size - 1])
			fuzz_options((const char *)ram->bytes);
		break;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct ram ram;

	if (!size)
		return 0;
	/* Of its exact size, so that a read beyond it is seen. */
	ram.size = size - 1;
	ram.bytes = malloc(ram.size + !ram.size);
	if (!ram.bytes)
		return 0;
	memcpy(ram.bytes, data + 1, ram.size);
	run(data[0], &ram);
	free(ram.bytes);
	return 0;
}
