/* SPDX-License-Identifier: Apache-2.0 */
/* hv/boot/bootinfo: what multiboot loaders say, and what they must not. */
#include "hv/boot/bootinfo.h"
#include "test/unit/ram.h"

#define INFO 0x9500u
#define MIB  (1ull << 20)

static struct ram ram;
static struct bootinfo boot;
static const char *why;

static int setup(void **state)
{
	(void)state;
	ram_new(&ram, 0x9000, 0x2000);
	why = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram.bytes);
	return 0;
}

static int parse(u32 magic)
{
	struct phys p = ram_phys(&ram);

	return bootinfo_parse(&boot, &p, magic, INFO, &why);
}

static void assert_refused(u32 magic, const char *reason)
{
	assert_true(parse(magic) < 0);
	assert_non_null(why);
	assert_string_equal(why, reason);
}

static void mb1_mmap_entry(u32 at, u64 start, u64 length, u32 type)
{
	ram_put32(&ram, at, 20);
	ram_put64(&ram, at + 4, start);
	ram_put64(&ram, at + 12, length);
	ram_put32(&ram, at + 20, type);
}

/* As QEMU gives it: two modules, a map that is not aligned. */
static void make_mb1(void)
{
	ram_put32(&ram, INFO, 0x4d);
	ram_put32(&ram, INFO + 4, 639);
	ram_put32(&ram, INFO + 8, 127 * 1024);
	ram_put32(&ram, INFO + 16, 0x9100);
	ram_text(&ram, 0x9100, "nestbox.elf mem=32M");
	ram_put32(&ram, INFO + 20, 2);
	ram_put32(&ram, INFO + 24, 0x9200);
	ram_put32(&ram, 0x9200, 0x200000);
	ram_put32(&ram, 0x9204, 0x300000);
	ram_put32(&ram, 0x9208, 0x9120);
	ram_text(&ram, 0x9120, "vmlinux console=ttyS0");
	ram_put32(&ram, 0x9210, 0x300000);
	ram_put32(&ram, 0x9214, 0x300000);
	ram_put32(&ram, INFO + 44, 48);
	ram_put32(&ram, INFO + 48, 0x9301);
	mb1_mmap_entry(0x9301, 0, 0x9fc00, 1);
	mb1_mmap_entry(0x9319, MIB, 127 * MIB, 1);
}

static void mb1_is_understood(void **state)
{
	(void)state;
	make_mb1();
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
	assert_string_equal(boot.cmdline, "nestbox.elf mem=32M");
	assert_int_equal(boot.n_modules, 2);
	assert_int_equal(boot.module[0].start, 0x200000);
	assert_int_equal(boot.module[0].end, 0x300000);
	assert_string_equal(boot.module[0].cmdline, "vmlinux console=ttyS0");
	assert_string_equal(boot.module[1].cmdline, "");
	assert_int_equal(boot.map.n, 2);
	assert_int_equal(boot.map.range[1].end, 128 * MIB);
	assert_int_equal(boot.rsdp, 0);
}

static void mb1_without_a_map(void **state)
{
	(void)state;
	make_mb1();
	ram_put32(&ram, INFO, 0x1);
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
	assert_int_equal(boot.map.n, 2);
	assert_int_equal(boot.map.range[0].end, 639 * 1024);
	assert_int_equal(boot.map.range[1].end, 128 * MIB);
	assert_int_equal(boot.n_modules, 0);
	ram_put32(&ram, INFO, 0);
	assert_refused(MULTIBOOT1_MAGIC, "the loader gives no memory map");
}

static void mb1_hostile_lists(void **state)
{
	(void)state;
	make_mb1();
	ram_put32(&ram, INFO + 20, 0xffffffff);
	assert_refused(MULTIBOOT1_MAGIC, "there are too many modules");
	ram_put32(&ram, INFO + 24, 0xfffffff8);
	assert_refused(MULTIBOOT1_MAGIC, "the module list is unreadable");
	make_mb1();
	ram_put32(&ram, 0x9204, 0x100000);
	assert_refused(MULTIBOOT1_MAGIC, "a module ends before it starts");
	make_mb1();
	ram_put32(&ram, INFO + 44, 0xffffffff);
	assert_refused(MULTIBOOT1_MAGIC, "the memory map has an absurd size");
	ram_put32(&ram, INFO + 44, 47);
	assert_refused(MULTIBOOT1_MAGIC, "the memory map is cut off");
	ram_put32(&ram, INFO + 48, 0xfffffff0);
	assert_refused(MULTIBOOT1_MAGIC, "the memory map is cut off");
	make_mb1();
	ram_put32(&ram, 0x9301, 19);
	assert_refused(MULTIBOOT1_MAGIC, "the memory map is garbage");
	ram_put32(&ram, 0x9301, 0xffffffff); /* ends the map */
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
}

static void mb1_hostile_texts(void **state)
{
	char text[BOOT_CMDLINE + 1];

	(void)state;
	make_mb1();
	memset(text, 'x', sizeof(text));
	text[BOOT_CMDLINE] = '\0';
	ram_text(&ram, 0xa000, text);
	ram_put32(&ram, INFO + 16, 0xa000);
	assert_refused(MULTIBOOT1_MAGIC, "a command line is too long");
	ram_put32(&ram, INFO + 16, 0xa001);
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
	ram_put32(&ram, 0x9208, 0xa000);
	assert_refused(MULTIBOOT1_MAGIC, "a command line is too long");
	memset(ram.bytes + ram.size - 4, 'x', 4);
	ram_put32(&ram, 0x9208, 0xaffc);
	assert_refused(MULTIBOOT1_MAGIC, "a command line is unreadable");
}

static void too_many_ranges(void **state)
{
	(void)state;
	make_mb1();
	ram_put32(&ram, INFO + 44, (MEM_RANGES + 1) * 24);
	ram_put32(&ram, INFO + 48, 0xa000);
	for (u32 i = 0; i <= MEM_RANGES; i++)
		mb1_mmap_entry(0xa000 + i * 24, i * (2 * MIB), MIB, 1);
	assert_refused(MULTIBOOT1_MAGIC, "the memory map has too many ranges");
	mb1_mmap_entry(0xa000, MIB, 127 * MIB, 1); /* joins them */
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
}

/* Lengths that wrap, types that do not exist. */
static void odd_ranges(void **state)
{
	(void)state;
	make_mb1();
	mb1_mmap_entry(0x9301, MIB, 2 * MIB, 0);
	mb1_mmap_entry(0x9319, MIB, ~0ull, 1);
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
	assert_int_equal(boot.map.n, 2);
	assert_int_equal(boot.map.range[0].type, MEM_RESERVED);
	assert_int_equal(boot.map.range[1].start, 3 * MIB);
	assert_int_equal(boot.map.range[1].end, ~0ull);
}

/* Appends a tag to the multiboot 2 block, returns where its body is. */
static u32 tag(u32 type, u32 body_size)
{
	u32 total, at;

	memcpy(&total, ram.bytes + (INFO - ram.start), 4);
	at = INFO + total;
	ram_put32(&ram, at, type);
	ram_put32(&ram, at + 4, 8 + body_size);
	ram_put32(&ram, INFO, (total + 8 + body_size + 7) & ~7u);
	return at + 8;
}

static void mb2_start(void)
{
	memset(ram.bytes, 0, ram.size);
	ram_put32(&ram, INFO, 8);
}

static void mb2_map(u32 entry_size)
{
	u32 at = tag(6, 8 + 2 * entry_size);

	ram_put32(&ram, at, entry_size);
	ram_put64(&ram, at + 8, 0);
	ram_put64(&ram, at + 16, 0x9fc00);
	ram_put32(&ram, at + 24, 1);
	ram_put64(&ram, at + 8 + entry_size, 4096 * MIB);
	ram_put64(&ram, at + 16 + entry_size, 1024 * MIB);
	ram_put32(&ram, at + 24 + entry_size, 1);
}

static void mb2_is_understood(void **state)
{
	u32 old, new, at;

	(void)state;
	mb2_start();
	ram_text(&ram, tag(1, 8), "mem=32M");
	at = tag(3, 13);
	ram_put32(&ram, at, 0x200000);
	ram_put32(&ram, at + 4, 0x200123);
	ram_text(&ram, at + 8, "init");
	mb2_map(32);
	tag(99, 3);
	new = tag(15, 36);
	old = tag(14, 20);
	tag(0, 0);
	assert_int_equal(parse(MULTIBOOT2_MAGIC), 0);
	assert_string_equal(boot.cmdline, "mem=32M");
	assert_int_equal(boot.n_modules, 1);
	assert_int_equal(boot.module[0].end, 0x200123);
	assert_string_equal(boot.module[0].cmdline, "init");
	assert_int_equal(boot.map.n, 2);
	assert_int_equal(boot.map.range[1].end, 5120 * MIB);
	assert_int_equal(boot.rsdp, new);
	assert_true(old > new); /* came last and lost */
}

static void mb2_without_a_map(void **state)
{
	u32 at;

	(void)state;
	mb2_start();
	at = tag(4, 8);
	ram_put32(&ram, at, 4096); /* more than there can be */
	ram_put32(&ram, at + 4, 1024);
	tag(0, 0);
	assert_int_equal(parse(MULTIBOOT2_MAGIC), 0);
	assert_int_equal(boot.map.range[0].end, 640 * 1024);
	assert_int_equal(boot.map.range[1].end, 2 * MIB);
	mb2_start();
	tag(0, 0);
	assert_refused(MULTIBOOT2_MAGIC, "the loader gives no memory map");
}

static void mb2_hostile_sizes(void **state)
{
	(void)state;
	ram_put32(&ram, INFO, 7);
	assert_refused(MULTIBOOT2_MAGIC,
		       "the loader's block has an absurd size");
	ram_put32(&ram, INFO, 0xffffffff);
	assert_refused(MULTIBOOT2_MAGIC,
		       "the loader's block has an absurd size");
	ram_put32(&ram, INFO, 0x8000);
	assert_refused(MULTIBOOT2_MAGIC, "the loader's block is cut off");
	mb2_start();
	assert_refused(MULTIBOOT2_MAGIC, "the loader's block has no end tag");
	mb2_map(24);
	assert_refused(MULTIBOOT2_MAGIC, "the loader's block has no end tag");
	mb2_start();
	tag(0xffffffff, 8);
	ram_put32(&ram, INFO + 12, 7);
	assert_refused(MULTIBOOT2_MAGIC, "a tag reaches out of the block");
	ram_put32(&ram, INFO + 12, 17);
	assert_refused(MULTIBOOT2_MAGIC, "a tag reaches out of the block");
	ram_put32(&ram, INFO + 12, 0xffffffff);
	assert_refused(MULTIBOOT2_MAGIC, "a tag reaches out of the block");
}

static void mb2_short_tags(void **state)
{
	static const struct {
		u32 type, size;
		const char *reason;
	} rows[] = {
		{1, 8, "a command line does not end"},
		{1, 0, "a command line does not end"},
		{3, 7, "a module's tag is too short"},
		{3, 8, "a command line does not end"},
		{4, 7, "the memory tag is too short"},
		{6, 7, "the memory map's tag is too short"},
		{6, 8, "the memory map is garbage"},
		{14, 19, "the RSDP's tag is too short"},
		{15, 35, "the RSDP's tag is too short"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 body;

		mb2_start();
		body = tag(rows[i].type, rows[i].size);
		if (rows[i].type == 1 && rows[i].size)
			memset(ram.bytes + (body - ram.start), 'x', 8);
		tag(0, 0);
		assert_refused(MULTIBOOT2_MAGIC, rows[i].reason);
	}
}

static void mb2_long_texts(void **state)
{
	u32 at;

	(void)state;
	mb2_start();
	at = tag(1, BOOT_CMDLINE + 1);
	memset(ram.bytes + (at - ram.start), 'x', BOOT_CMDLINE);
	tag(0, 0);
	assert_refused(MULTIBOOT2_MAGIC, "a command line is too long");
	mb2_start();
	at = tag(3, 8 + BOOT_MODULE_LINE);
	memset(ram.bytes + (at + 8 - ram.start), 'x', BOOT_MODULE_LINE);
	tag(0, 0);
	assert_refused(MULTIBOOT2_MAGIC, "a command line is too long");
}

static void other_loaders(void **state)
{
	(void)state;
	assert_refused(0, "the loader is not a multiboot loader");
	ram.size = 0x520;
	assert_refused(MULTIBOOT1_MAGIC, "the loader's block is unreadable");
	ram.size = 0x507;
	assert_refused(MULTIBOOT2_MAGIC, "the loader's block is unreadable");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void modules_are_busy(void **state)
{
	struct mem_range busy[BOOT_MODULES];

	(void)state;
	make_mb1();
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
	assert_int_equal(bootinfo_busy(&boot, busy), 2);
	assert_int_equal(busy[0].start, 0x200000);
	assert_int_equal(busy[0].end, 0x300000);
	assert_int_equal(busy[1].start, 0x300000);
	assert_int_equal(busy[1].end, 0x300000);
	ram_put32(&ram, INFO + 20, 0);
	assert_int_equal(parse(MULTIBOOT1_MAGIC), 0);
	assert_int_equal(bootinfo_busy(&boot, busy), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mb1_is_understood), TEST(mb1_without_a_map),
		TEST(mb1_hostile_lists), TEST(mb1_hostile_texts),
		TEST(too_many_ranges),	 TEST(odd_ranges),
		TEST(mb2_is_understood), TEST(mb2_without_a_map),
		TEST(mb2_hostile_sizes), TEST(mb2_short_tags),
		TEST(mb2_long_texts),	 TEST(other_loaders),
		TEST(modules_are_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
