/* SPDX-License-Identifier: Apache-2.0 */
/* hv/boot/linux: kernels that are whole, cut off or lie, and the zero page. */
#include <asm/bootparam.h>

#include "hv/boot/linux.h"
#include "test/unit/unit.h"

#define MIB	    (1ull << 20)
#define GIB	    (1ull << 30)
#define HEADER	    0x1f1
#define SETUP	    2048 /* the boot sector and 3 others */
#define SYSSIZE	    0x40 /* in 16 bytes */
#define BZIMAGE	    (SETUP + SYSSIZE * 16)
#define PREFERRED   (16 * MIB)
#define INIT_SIZE   (48 * MIB)
#define VMLINUX	    0x3000
#define ELF_HEADERS 0x40

static const char *why;
static struct linux_image im;

/* The kernel's own header has the last word on where the fields are. */
#define SAME_PARAM(field)                                           \
	_Static_assert(offsetof(struct linux_params, field) ==      \
			       offsetof(struct boot_params, field), \
		       #field)
#define SAME_FIELD(field)                                            \
	_Static_assert(offsetof(struct linux_header, field) ==       \
			       offsetof(struct setup_header, field), \
		       #field)
SAME_PARAM(acpi_rsdp_addr);
SAME_PARAM(e820_entries);
SAME_PARAM(e820_table);
SAME_FIELD(setup_sects);
SAME_FIELD(syssize);
SAME_FIELD(boot_flag);
SAME_FIELD(version);
SAME_FIELD(type_of_loader);
SAME_FIELD(loadflags);
SAME_FIELD(code32_start);
SAME_FIELD(ramdisk_image);
SAME_FIELD(ramdisk_size);
SAME_FIELD(cmd_line_ptr);
SAME_FIELD(initrd_addr_max);
SAME_FIELD(kernel_alignment);
SAME_FIELD(relocatable_kernel);
SAME_FIELD(xloadflags);
SAME_FIELD(cmdline_size);
SAME_FIELD(setup_data);
SAME_FIELD(pref_address);
SAME_FIELD(init_size);
SAME_FIELD(handover_offset);
SAME_FIELD(kernel_info_offset);
_Static_assert(offsetof(struct linux_params, header) ==
		       offsetof(struct boot_params, hdr),
	       "header");

static struct linux_header *header_of(u8 *file)
{
	return (struct linux_header *)(file + HEADER);
}

/* A bzImage as today's are; to be freed. */
static u8 *make_bzimage(void)
{
	u8 *file = calloc(1, BZIMAGE);

	assert_non_null(file);
	*header_of(file) = (struct linux_header){
		.setup_sects = 3,
		.syssize = SYSSIZE,
		.boot_flag = 0xaa55,
		.jump = 0xeb,
		.jump_length = 0x26c - 0x202,
		.magic = 0x53726448,
		.version = 0x20f,
		.loadflags = 1,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 2 * MIB,
		.relocatable_kernel = 1,
		.xloadflags = 0x7f,
		.cmdline_size = 2047,
		.pref_address = PREFERRED,
		.init_size = INIT_SIZE,
		.kernel_info_offset = 0x1234,
	};
	return file;
}

static struct mem_map make_map(void)
{
	struct mem_map m = {0};

	memmap_add(&m, 0, 0x9fc00, MEM_RAM);
	memmap_add(&m, MIB, 512 * MIB, MEM_RAM);
	memmap_add(&m, 4 * GIB, 5 * GIB, MEM_RAM);
	return m;
}

static void assert_check_fails(const void *file, u64 size, const char *reason)
{
	assert_true(linux_check(&im, file, size, &why) < 0);
	assert_string_equal(why, reason);
}

static void bzimage_is_understood(void **state)
{
	u8 *file = make_bzimage();

	(void)state;
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	assert_int_equal(im.kind, LINUX_BZIMAGE);
	assert_true(im.long_mode);
	assert_true(im.relocatable);
	assert_int_equal(im.pref_address, PREFERRED);
	assert_int_equal(im.init_size, INIT_SIZE);
	assert_int_equal(im.alignment, 2 * MIB);
	assert_int_equal(im.initrd_end, 2 * GIB);
	assert_int_equal(im.cmdline_size, 2047);
	header_of(file)->version = 0x20b;
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	assert_false(im.long_mode);
	free(file);
}

static void bzimage_is_placed(void **state)
{
	u8 *file = make_bzimage();
	struct mem_map map = make_map();
	struct mem_range busy = {40 * MIB, 41 * MIB + 5, 0};
	const struct plan_segment *s = &im.plan.segment[0];

	(void)state;
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	assert_int_equal(linux_place(&im, &map, NULL, 0, &why), 0);
	assert_int_equal(im.plan.n, 1);
	assert_int_equal(s->dest, PREFERRED);
	assert_int_equal(s->offset, SETUP);
	assert_int_equal(s->file_size, SYSSIZE * 16);
	assert_int_equal(s->mem_size, INIT_SIZE);
	assert_int_equal(im.plan.entry, PREFERRED + 0x200);
	/* Again, with something in the way. */
	assert_int_equal(linux_place(&im, &map, &busy, 1, &why), 0);
	assert_int_equal(s->dest, 42 * MIB);
	busy.end = 511 * MIB;
	assert_true(linux_place(&im, &map, &busy, 1, &why) < 0);
	assert_string_equal(why, "no memory is free for the kernel");
	busy.end = 41 * MIB;
	header_of(file)->relocatable_kernel = 0;
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	assert_true(linux_place(&im, &map, &busy, 1, &why) < 0);
	free(file);
}

static void bzimage_above_4_gib(void **state)
{
	u8 *file = make_bzimage();
	struct mem_map map = make_map();

	(void)state;
	header_of(file)->pref_address = 4 * GIB;
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	assert_true(linux_place(&im, &map, NULL, 0, &why) < 0);
	assert_string_equal(why, "the kernel wants to be above 4 GiB");
	header_of(file)->pref_address = ~0ull - 5;
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	assert_true(linux_place(&im, &map, NULL, 0, &why) < 0);
	assert_string_equal(why, "no memory is free for the kernel");
	free(file);
}

static void bzimage_that_is_cut_off(void **state)
{
	u8 *whole = make_bzimage();

	(void)state;
	for (size_t size = 0; size < BZIMAGE; size++) {
		u8 *file = malloc(size + !size);

		assert_non_null(file);
		memcpy(file, whole, size);
		assert_true(linux_check(&im, file, size, &why) < 0);
		free(file);
	}
	assert_check_fails(whole, BZIMAGE - 1, "the bzImage is cut off");
	assert_check_fails(whole, SETUP, "the bzImage is cut off");
	assert_check_fails(whole, 0x263, "the kernel is too short");
	header_of(whole)->syssize = 0xffffffff;
	assert_check_fails(whole, BZIMAGE, "the bzImage is cut off");
	free(whole);
}

static void bzimage_that_is_wrong(void **state)
{
	u8 *file = make_bzimage();
	struct linux_header *h = header_of(file), good = *h;

	(void)state;
	h->version = 0x209;
	assert_check_fails(file, BZIMAGE,
			   "the bzImage is too old: protocol < 2.10");
	*h = good;
	h->loadflags = 0;
	assert_check_fails(file, BZIMAGE,
			   "the kernel is a zImage, not a bzImage");
	*h = good;
	h->kernel_alignment = 0;
	assert_check_fails(file, BZIMAGE,
			   "the bzImage's alignment is no power of 2");
	*h = good;
	h->syssize = 0;
	assert_check_fails(file, BZIMAGE, "the bzImage says it is empty");
	*h = good;
	h->jump_length = 0x61;
	assert_check_fails(file, BZIMAGE, "the bzImage's header is cut off");
	*h = good;
	h->magic = 0;
	assert_check_fails(file, BZIMAGE,
			   "the kernel is neither bzImage nor ELF");
	free(file);
}

static void put(u8 *file, size_t at, u64 value, size_t n)
{
	memcpy(file + at, &value, n);
}

static void put_segment(u8 *file, int i, const u64 *s)
{
	size_t at = ELF_HEADERS + (size_t)i * 56;

	put(file, at, s[0], 4);
	put(file, at + 8, s[1], 8);  /* offset */
	put(file, at + 24, s[2], 8); /* paddr */
	put(file, at + 32, s[3], 8); /* filesz */
	put(file, at + 40, s[4], 8); /* memsz */
}

/* A vmlinux with code, data and a note; to be freed. */
static u8 *make_vmlinux(void)
{
	static const u64 segments[][5] = {
		{1, 0x1000, 16 * MIB, 0x1000, 0x1000},
		{4, 0x1000, 0, 0x100, 0x100},
		{1, 0x2000, 18 * MIB, 0x1000, 2 * MIB},
	};
	u8 *file = calloc(1, VMLINUX);

	assert_non_null(file);
	put(file, 0, 0x464c457f, 4);
	put(file, 4, 0x10102, 4);
	put(file, 16, 2, 2);
	put(file, 18, 62, 2);
	put(file, 24, 16 * MIB + 0x10, 8);
	put(file, 32, ELF_HEADERS, 8);
	put(file, 54, 56, 2);
	put(file, 56, ARRAY_SIZE(segments), 2);
	for (int i = 0; i < (int)ARRAY_SIZE(segments); i++)
		put_segment(file, i, segments[i]);
	return file;
}

static void vmlinux_is_understood(void **state)
{
	u8 *file = make_vmlinux();
	struct mem_map map = make_map();
	struct mem_range busy = {20 * MIB - 1, 20 * MIB, 0};
	struct mem_range gap = {17 * MIB, 17 * MIB + 1, 0};

	(void)state;
	assert_int_equal(linux_check(&im, file, VMLINUX, &why), 0);
	assert_int_equal(im.kind, LINUX_VMLINUX);
	assert_true(im.long_mode);
	assert_int_equal(im.plan.n, 2);
	assert_int_equal(im.plan.entry, 16 * MIB + 0x10);
	assert_int_equal(im.plan.segment[1].offset, 0x2000);
	assert_int_equal(im.plan.segment[1].mem_size, 2 * MIB);
	assert_int_equal(im.init_size, 4 * MIB);
	assert_int_equal(linux_place(&im, &map, NULL, 0, &why), 0);
	assert_true(linux_place(&im, &map, &busy, 1, &why) < 0);
	assert_string_equal(why, "no memory is free for the kernel");
	assert_true(linux_place(&im, &map, &gap, 1, &why) < 0);
	assert_false(plan_in_place(&im.plan, 16 * MIB - 0x1000));
	memmap_reserve(&map, 17 * MIB, 20 * MIB);
	assert_true(linux_place(&im, &map, NULL, 0, &why) < 0);
	free(file);
}

/* As tools/vmlinux lays it out. */
static void vmlinux_in_place(void **state)
{
	u8 *file = make_vmlinux(), *bzimage = make_bzimage();

	(void)state;
	put(file, ELF_HEADERS + 2 * 56 + 24, 16 * MIB + 0x1000, 8);
	assert_int_equal(linux_check(&im, file, VMLINUX, &why), 0);
	assert_true(plan_in_place(&im.plan, 16 * MIB - 0x1000));
	assert_false(plan_in_place(&im.plan, 16 * MIB));
	assert_int_equal(linux_check(&im, bzimage, BZIMAGE, &why), 0);
	assert_false(plan_in_place(&im.plan, 0));
	free(file);
	free(bzimage);
}

static void vmlinux_with_bad_segments(void **state)
{
	static const struct {
		u64 segment[5];
		const char *reason;
	} rows[] = {
		{{1, 0x2000, 0, 0x1001, 0x1001}, "the image is cut off"},
		{{1, 0x3001, 0, 0, 1}, "the image is cut off"},
		{{1, ~0ull, 0, 0x1000, 0x1000}, "the image is cut off"},
		{{1, 0x2000, 0, ~0ull, ~0ull}, "the image is cut off"},
		{{1, 0x2000, 0, 2, 1}, "a segment has more bytes than memory"},
		{{1, 0x2000, ~0ull, 1, 2},
		 "a segment reaches beyond all addresses"},
		{{1, 0x2000, 18 * MIB + 5, 1, 2},
		 "the image's segments overlap"},
	};
	u8 *file = make_vmlinux();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_segment(file, 1, rows[i].segment);
		/* The last one comes after the one it overlaps. */
		if (i == ARRAY_SIZE(rows) - 1)
			put_segment(file, 0, (u64[]){1, 0, 18 * MIB, 16, 16});
		assert_check_fails(file, VMLINUX, rows[i].reason);
	}
	free(file);
}

static void vmlinux_that_is_wrong(void **state)
{
	u8 *file = make_vmlinux();

	(void)state;
	assert_check_fails(file, 0x80, "the vmlinux is cut off");
	assert_check_fails(file, VMLINUX - 1, "the image is cut off");
	put(file, 32, ~0ull, 8);
	assert_check_fails(file, VMLINUX, "the vmlinux is cut off");
	put(file, 32, ELF_HEADERS, 8);
	put(file, 56, 0xffff, 2);
	assert_check_fails(file, VMLINUX, "the vmlinux is cut off");
	put(file, 56, 0, 2);
	assert_check_fails(file, VMLINUX, "the vmlinux has nothing to load");
	put(file, 54, 55, 2);
	assert_check_fails(file, VMLINUX, "the ELF file is not a kernel");
	put(file, 4, 0x10101, 4);
	assert_check_fails(file, VMLINUX, "the ELF file is not for x86-64");
	free(file);
}

static void vmlinux_with_a_bad_entry(void **state)
{
	static const u64 entries[] = {0, 16 * MIB + 0x1000, 19 * MIB, ~0ull};
	struct mem_map map = make_map();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		u8 *file = make_vmlinux();

		put(file, 24, entries[i], 8);
		assert_int_equal(linux_check(&im, file, VMLINUX, &why), 0);
		assert_true(linux_place(&im, &map, NULL, 0, &why) < 0);
		assert_string_equal(why,
				    "the kernel's entry is not in the file");
		free(file);
	}
}

static void too_many_segments(void **state)
{
	size_t size = ELF_HEADERS + (PLAN_SEGMENTS + 1) * 56;
	u8 *small = make_vmlinux(), *file = calloc(1, size);

	(void)state;
	assert_non_null(file);
	memcpy(file, small, ELF_HEADERS);
	put(file, 56, PLAN_SEGMENTS + 1, 2);
	for (int i = 0; i <= PLAN_SEGMENTS; i++)
		put_segment(file, i, (u64[]){1, 0, (u64)i * MIB, 1, MIB});
	assert_check_fails(file, size, "the image has too many segments");
	free(file);
	free(small);
}

static void zero_page_of_a_bzimage(void **state)
{
	u8 *file = make_bzimage();
	struct mem_map map = make_map();
	struct linux_params p;
	struct linux_boot boot = {
		.cmdline = 0x90000,
		.cmdline_length = 10,
		.initrd = 100 * MIB,
		.initrd_size = 5 * MIB,
		.rsdp = 0xf0000,
		.map = &map,
	};

	(void)state;
	memset(file, 0xff, HEADER); /* the sentinel must not be copied */
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	assert_int_equal(linux_place(&im, &map, NULL, 0, &why), 0);
	assert_int_equal(linux_fill(&p, &im, file, &boot, &why), 0);
	for (size_t i = 0; i < sizeof(p.unused_0x1e9); i++)
		assert_int_equal(p.unused_0x1e9[i], 0);
	assert_int_equal(p.header.kernel_info_offset, 0x1234);
	assert_int_equal(p.header.type_of_loader, 0xff);
	assert_int_equal(p.header.cmd_line_ptr, 0x90000);
	assert_int_equal(p.header.ramdisk_image, 100 * MIB);
	assert_int_equal(p.header.ramdisk_size, 5 * MIB);
	assert_int_equal(p.header.code32_start, PREFERRED);
	assert_int_equal(p.acpi_rsdp_addr, 0xf0000);
	assert_int_equal(p.e820_entries, 3);
	assert_int_equal(p.e820_table[2].start, 4 * GIB);
	free(file);
}

static void zero_page_of_a_vmlinux(void **state)
{
	u8 *file = make_vmlinux();
	struct mem_map map = make_map();
	struct linux_boot boot = {.map = &map};
	struct linux_params p;

	(void)state;
	memset(&p, 0xee, sizeof(p));
	assert_int_equal(linux_check(&im, file, VMLINUX, &why), 0);
	assert_int_equal(linux_place(&im, &map, NULL, 0, &why), 0);
	assert_int_equal(linux_fill(&p, &im, file, &boot, &why), 0);
	assert_int_equal(p.header.boot_flag, 0xaa55);
	assert_memory_equal((u8 *)&p + 0x202, "HdrS", 4);
	assert_true(p.header.version >= 0x20c);
	assert_int_equal(p.header.loadflags, 1);
	assert_int_equal(p.header.ramdisk_image, 0);
	assert_int_equal(p.unused_0xcd0[0], 0);
	free(file);
}

static void what_linux_cannot_be_told(void **state)
{
	u8 *file = make_bzimage();
	struct mem_map map = make_map();
	struct linux_params p;
	struct linux_boot good = {.map = &map}, boot = good;

	(void)state;
	assert_int_equal(linux_check(&im, file, BZIMAGE, &why), 0);
	boot.cmdline_length = 2048;
	assert_true(linux_fill(&p, &im, file, &boot, &why) < 0);
	assert_string_equal(why, "the command line is too long for Linux");
	boot = good;
	boot.cmdline = 4 * GIB;
	assert_true(linux_fill(&p, &im, file, &boot, &why) < 0);
	assert_string_equal(why, "the command line is above 4 GiB");
	boot = good;
	boot.initrd = 2 * GIB - 1;
	boot.initrd_size = 1;
	assert_int_equal(linux_fill(&p, &im, file, &boot, &why), 0);
	boot.initrd_size = 2;
	assert_true(linux_fill(&p, &im, file, &boot, &why) < 0);
	assert_string_equal(why, "the initramfs is too high for Linux");
	boot.initrd_size = ~0ull;
	assert_true(linux_fill(&p, &im, file, &boot, &why) < 0);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bzimage_is_understood),
		cmocka_unit_test(bzimage_is_placed),
		cmocka_unit_test(bzimage_above_4_gib),
		cmocka_unit_test(bzimage_that_is_cut_off),
		cmocka_unit_test(bzimage_that_is_wrong),
		cmocka_unit_test(vmlinux_is_understood),
		cmocka_unit_test(vmlinux_in_place),
		cmocka_unit_test(vmlinux_with_bad_segments),
		cmocka_unit_test(vmlinux_that_is_wrong),
		cmocka_unit_test(vmlinux_with_a_bad_entry),
		cmocka_unit_test(too_many_segments),
		cmocka_unit_test(zero_page_of_a_bzimage),
		cmocka_unit_test(zero_page_of_a_vmlinux),
		cmocka_unit_test(what_linux_cannot_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
