/* SPDX-License-Identifier: Apache-2.0 */
/* hv/boot/payload: multiboot images as L1, and what they are told. */
#include "hv/boot/payload.h"
#include "test/unit/ram.h"

#define MIB	    (1ull << 20)
#define GIB	    (1ull << 30)
#define FILE_SIZE   0x2100
#define HEADERS	    52
#define MULTIBOOT   0x1000
#define BLOCK	    0x9000u
#define VIRTUAL	    0xc0100000u
#define BLOCK_BYTES 4096

static const char *why;
static struct payload payload;

static void put(u8 *file, size_t at, u32 value, size_t n)
{
	memcpy(file + at, &value, n);
}

static void put_segment(u8 *file, size_t i, const u32 *s)
{
	memcpy(file + HEADERS + i * 32, s, 32);
}

static void put_header(u8 *file, size_t at, u32 flags)
{
	put(file, at, MB1_HEADER_MAGIC, 4);
	put(file, at + 4, flags, 4);
	put(file, at + 8, -(MB1_HEADER_MAGIC + flags), 4);
}

/* Code linked to run elsewhere than it is loaded, and a bss; to be freed. */
static u8 *make_file(void)
{
	static const u32 code[8] = {
		1, 0x1000, VIRTUAL, MIB, 0x1000, 0x1000, 5, 4096,
	};
	static const u32 data[8] = {
		1, 0x2000, VIRTUAL + MIB, 2 * MIB, 0x100, MIB, 6, 4096,
	};
	u8 *file = calloc(1, FILE_SIZE);

	assert_non_null(file);
	put(file, 0, 0x464c457f, 4);
	put(file, 4, 0x10101, 4);
	put(file, 16, 2, 2);
	put(file, 18, 3, 2);
	put(file, 24, VIRTUAL + 0x20, 4);
	put(file, 28, HEADERS, 4);
	put(file, 42, 32, 2);
	put(file, 44, 2, 2);
	put_segment(file, 0, code);
	put_segment(file, 1, data);
	put_header(file, MULTIBOOT, 3);
	return file;
}

static struct mem_map make_map(void)
{
	struct mem_map m = {0};

	memmap_add(&m, 0, 0x9fc00, MEM_RAM);
	memmap_add(&m, 0x9fc00, MIB, MEM_RESERVED);
	memmap_add(&m, MIB, 128 * MIB, MEM_RAM);
	memmap_add(&m, 4 * GIB, 5 * GIB, MEM_RAM);
	return m;
}

static void assert_refused(const u8 *file, u64 size, const char *reason)
{
	assert_true(payload_check(&payload, file, size, &why) < 0);
	assert_string_equal(why, reason);
}

static void payload_is_understood(void **state)
{
	u8 *file = make_file();
	struct mem_map map = make_map();
	struct mem_range busy = {3 * MIB - 1, 5 * MIB, 0};

	(void)state;
	assert_true(payload_is(file, FILE_SIZE));
	assert_int_equal(payload_check(&payload, file, FILE_SIZE, &why), 0);
	assert_true(payload.align_modules);
	assert_int_equal(payload.plan.n, 2);
	assert_int_equal(payload.plan.entry, MIB + 0x20);
	assert_int_equal(payload.plan.segment[1].dest, 2 * MIB);
	assert_int_equal(payload.plan.segment[1].file_size, 0x100);
	assert_int_equal(payload.plan.segment[1].mem_size, MIB);
	assert_int_equal(payload_place(&payload, &map, NULL, 0, &why), 0);
	assert_true(payload_place(&payload, &map, &busy, 1, &why) < 0);
	assert_string_equal(why, "the payload's memory is not free");
	memmap_reserve(&map, 2 * MIB, 3 * MIB);
	assert_true(payload_place(&payload, &map, NULL, 0, &why) < 0);
	free(file);
}

static void header_is_searched(void **state)
{
	u8 *file = make_file();

	(void)state;
	put(file, MULTIBOOT, 0, 4);
	assert_refused(file, FILE_SIZE, "the payload has no multiboot header");
	put_header(file, MB1_HEADER_AREA - 12, 0);
	assert_int_equal(payload_check(&payload, file, FILE_SIZE, &why), 0);
	assert_false(payload.align_modules);
	put(file, MB1_HEADER_AREA - 12, 0, 4);
	put_header(file, MB1_HEADER_AREA - 8, 0); /* not all of it inside */
	assert_false(payload_is(file, FILE_SIZE));
	put_header(file, MULTIBOOT + 2, 0); /* not aligned */
	assert_false(payload_is(file, FILE_SIZE));
	put_header(file, MULTIBOOT, 4);
	assert_refused(file, FILE_SIZE,
		       "the payload wants what we do not offer");
	put_header(file, MULTIBOOT, 0x20003);
	assert_int_equal(payload_check(&payload, file, FILE_SIZE, &why), 0);
	put(file, MULTIBOOT + 8, 0, 4);
	assert_refused(file, FILE_SIZE, "the payload has no multiboot header");
	assert_false(payload_is(file, 0));
	free(file);
}

/* The file's second page and what follows it go to 14 MiB. */
static void put_addresses(u8 *file, u32 load_end, u32 bss_end, u32 entry)
{
	put_header(file, MULTIBOOT, 3 | MB1_ADDRESSES);
	put(file, MULTIBOOT + 12, 14 * MIB, 4);
	put(file, MULTIBOOT + 16, 14 * MIB, 4);
	put(file, MULTIBOOT + 20, load_end, 4);
	put(file, MULTIBOOT + 24, bss_end, 4);
	put(file, MULTIBOOT + 28, entry, 4);
}

static void header_says_where(void **state)
{
	const struct plan_segment *s = payload.plan.segment;
	u8 *file = make_file();

	(void)state;
	file[0] = 0; /* no ELF is needed */
	put_addresses(file, 14 * MIB + 0x800, 15 * MIB, 14 * MIB + 0x40);
	assert_int_equal(payload_check(&payload, file, FILE_SIZE, &why), 0);
	assert_int_equal(payload.plan.n, 1);
	assert_int_equal(payload.plan.entry, 14 * MIB + 0x40);
	assert_int_equal(s->dest, 14 * MIB);
	assert_int_equal(s->offset, MULTIBOOT);
	assert_int_equal(s->file_size, 0x800);
	assert_int_equal(s->mem_size, MIB);
	put_addresses(file, 0, 0, 14 * MIB);
	assert_int_equal(payload_check(&payload, file, FILE_SIZE, &why), 0);
	assert_int_equal(s->file_size, FILE_SIZE - MULTIBOOT);
	assert_int_equal(s->mem_size, FILE_SIZE - MULTIBOOT);
	free(file);
}

static void wrong_addresses_are_refused(void **state)
{
	u8 *file = make_file();

	(void)state;
	put_addresses(file, 14 * MIB + 0x800, 0, 14 * MIB + 0x800);
	assert_refused(file, FILE_SIZE,
		       "the payload's entry is not in the file");
	put_addresses(file, 14 * MIB + 0x2000, 0, 14 * MIB);
	assert_refused(file, FILE_SIZE, "the image is cut off");
	assert_refused(file, MULTIBOOT + 31, "the payload is cut off");
	put_addresses(file, 14 * MIB - 1, 0, 14 * MIB);
	assert_refused(file, FILE_SIZE,
		       "the payload's addresses make no sense");
	put_addresses(file, 0, 0, 14 * MIB);
	put(file, MULTIBOOT + 24, 14 * MIB + FILE_SIZE - MULTIBOOT - 1, 4);
	assert_refused(file, FILE_SIZE,
		       "the payload's addresses make no sense");
	put(file, MULTIBOOT + 16, 14 * MIB + 1, 4);
	assert_refused(file, FILE_SIZE,
		       "the payload's addresses make no sense");
	put(file, MULTIBOOT + 16, 14 * MIB - MULTIBOOT - 1, 4);
	assert_refused(file, FILE_SIZE,
		       "the payload's addresses make no sense");
	free(file);
}

static void payload_that_is_cut_off(void **state)
{
	u8 *whole = make_file();

	(void)state;
	for (size_t size = 0; size < FILE_SIZE; size++) {
		u8 *file = malloc(size + !size);

		assert_non_null(file);
		memcpy(file, whole, size);
		assert_true(payload_check(&payload, file, size, &why) < 0);
		free(file);
	}
	put(whole, 28, 0xffffffff, 4);
	assert_refused(whole, FILE_SIZE, "the payload is cut off");
	put(whole, 28, HEADERS, 4);
	put(whole, 44, 0xffff, 2);
	assert_refused(whole, FILE_SIZE, "the payload is cut off");
	free(whole);
}

static void payload_of_another_kind(void **state)
{
	u8 *file = make_file();

	(void)state;
	put(file, 44, 0, 2);
	assert_refused(file, FILE_SIZE,
		       "the payload's entry is not in the file");
	put(file, 42, 31, 2);
	assert_refused(file, FILE_SIZE, "the payload is not an ELF32 for x86");
	put(file, 42, 32, 2);
	put(file, 18, 62, 2);
	assert_refused(file, FILE_SIZE, "the payload is not an ELF32 for x86");
	put(file, 0, 0, 4);
	assert_refused(file, FILE_SIZE, "the payload is not an ELF file");
	free(file);
}

static void bad_segments(void **state)
{
	static const struct {
		u32 segment[8];
		const char *reason;
	} rows[] = {
		{{1, 0x2000, 0, 0, 0x101, 0x101}, "the image is cut off"},
		{{1, 0xffffffff, 0, 0, 1, 1}, "the image is cut off"},
		{{1, 0, 0, 0, 2, 1}, "a segment has more bytes than memory"},
		{{1, 0, 0, MIB + 5, 1, 1}, "the image's segments overlap"},
		{{1, 0, 0, 0xffffffff, 1, 2}, "a segment reaches beyond 4 GiB"},
	};
	u8 *file = make_file();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_segment(file, 1, rows[i].segment);
		assert_refused(file, FILE_SIZE, rows[i].reason);
	}
	free(file);
}

static void bad_entries(void **state)
{
	static const u32 entries[] = {
		0, VIRTUAL - 1, VIRTUAL + 0x1000, VIRTUAL + MIB + 0x100, MIB,
	};
	u8 *file = make_file();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		put(file, 24, entries[i], 4);
		assert_refused(file, FILE_SIZE,
			       "the payload's entry is not in the file");
	}
	free(file);
}

static const struct boot_module modules[] = {
	{.start = 8 * MIB, .end = 9 * MIB, .cmdline = "one 1"},
	{.start = 10 * MIB, .end = 10 * MIB + 1, .cmdline = ""},
};

/* What we write is read by what reads other loaders' blocks. */
static void block_says_what_it_should(void **state)
{
	struct mem_map map = make_map();
	struct payload_boot boot = {"a=1 b", modules, 2, &map};
	struct bootinfo b;
	struct ram ram;
	struct phys p = ram_phys(&ram);
	struct payload_block block = {.size = BLOCK_BYTES, .pa = BLOCK};
	struct mb1_info info;

	(void)state;
	ram_new(&ram, BLOCK, BLOCK_BYTES);
	block.to = ram.bytes;
	assert_true(payload_fill(&payload, &block, &boot, &why) > 0);
	assert_int_equal(bootinfo_parse(&b, &p, MULTIBOOT1_MAGIC, BLOCK, &why),
			 0);
	assert_string_equal(b.cmdline, "a=1 b");
	assert_int_equal(b.n_modules, 2);
	assert_int_equal(b.module[1].end, 10 * MIB + 1);
	assert_string_equal(b.module[0].cmdline, "one 1");
	assert_string_equal(b.module[1].cmdline, "");
	assert_int_equal(b.map.n, map.n);
	for (size_t i = 0; i < map.n; i++) {
		assert_int_equal(b.map.range[i].start, map.range[i].start);
		assert_int_equal(b.map.range[i].end, map.range[i].end);
		assert_int_equal(b.map.range[i].type, map.range[i].type);
	}
	memcpy(&info, ram.bytes, sizeof(info));
	assert_int_equal(info.mem_lower, 639);
	assert_int_equal(info.mem_upper, 127 * 1024);
	assert_string_equal(ram.bytes + (info.loader_name - BLOCK), "nestbox");
	free(ram.bytes);
}

static void block_keeps_to_its_room(void **state)
{
	struct mem_map map = make_map();
	struct payload_boot boot = {"word", modules, 2, &map};
	u8 whole[BLOCK_BYTES];
	struct payload_block block = {whole, sizeof(whole), BLOCK};
	int need = payload_fill(&payload, &block, &boot, &why);

	(void)state;
	assert_true(need > 0);
	for (size_t size = 0; size <= (size_t)need; size++) {
		int used;

		block.to = malloc(size + !size);
		block.size = size;
		assert_non_null(block.to);
		used = payload_fill(&payload, &block, &boot, &why);
		assert_int_equal(used, size < (size_t)need ? -1 : need);
		free(block.to);
	}
	block.size = need - 1;
	block.to = whole;
	assert_true(payload_fill(&payload, &block, &boot, &why) < 0);
	assert_string_equal(why, "the boot block is too small");
}

static void blocks_that_cannot_be(void **state)
{
	struct mem_map map = make_map();
	struct boot_module m = {.start = 0x1001, .end = 0x2000};
	struct payload_boot boot = {"", &m, 1, &map};
	u8 bytes[BLOCK_BYTES];
	struct payload_block block = {bytes, sizeof(bytes), BLOCK};

	(void)state;
	payload.align_modules = true;
	assert_true(payload_fill(&payload, &block, &boot, &why) < 0);
	assert_string_equal(why, "a module is not on a page");
	payload.align_modules = false;
	assert_true(payload_fill(&payload, &block, &boot, &why) > 0);
	m.end = 4 * GIB;
	assert_true(payload_fill(&payload, &block, &boot, &why) < 0);
	assert_string_equal(why, "a module is above 4 GiB");
	boot.n_modules = BOOT_MODULES + 1;
	assert_true(payload_fill(&payload, &block, &boot, &why) < 0);
	assert_string_equal(why, "there are too many modules");
	block.pa = BLOCK + 4;
	assert_true(payload_fill(&payload, &block, &boot, &why) < 0);
	block.pa = 4 * GIB - 8;
	assert_true(payload_fill(&payload, &block, &boot, &why) < 0);
	assert_string_equal(why, "the boot block cannot be placed there");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payload_is_understood),
		cmocka_unit_test(header_is_searched),
		cmocka_unit_test(header_says_where),
		cmocka_unit_test(wrong_addresses_are_refused),
		cmocka_unit_test(payload_that_is_cut_off),
		cmocka_unit_test(payload_of_another_kind),
		cmocka_unit_test(bad_segments),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(block_says_what_it_should),
		cmocka_unit_test(block_keeps_to_its_room),
		cmocka_unit_test(blocks_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
