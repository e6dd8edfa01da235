/* SPDX-License-Identifier: Apache-2.0 */
/* hv/boot/options: the hypervisor's command line. */
#include "hv/boot/options.h"
#include "test/unit/unit.h"

#define MIB (1ull << 20)

static struct options o;
static const char *why;

static void defaults(void **state)
{
	static const char *const lines[] = {
		"",
		"  ",
		"nestbox.elf",
		"/boot/nestbox.elf",
		"./a=b/nestbox",
		"dir/a=b\t",
		" --",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(options_parse(&o, lines[i], &why), 0);
		assert_int_equal(o.mem, 64 * MIB);
		assert_int_equal(o.port, 0x3f8);
		assert_false(o.reset);
		assert_false(o.quiet);
		assert_int_equal(o.svm, ~0u);
		assert_int_equal(o.tick, 0);
		assert_int_equal(o.shake, 0);
		assert_string_equal(o.l1, "");
	}
}

static void all_words(void **state)
{
	(void)state;
	assert_int_equal(options_parse(&o,
				       "x/y.elf mem=1G com=com2  panic=reset "
				       "quiet tick=10 svm=0x8 shake=7 "
				       "-- root=/dev/vda -- mem=5",
				       &why),
			 0);
	assert_int_equal(o.mem, 1024 * MIB);
	assert_int_equal(o.port, 0x2f8);
	assert_true(o.reset);
	assert_true(o.quiet);
	assert_int_equal(o.svm, 8);
	assert_int_equal(o.tick, 10);
	assert_int_equal(o.shake, 7);
	assert_string_equal(o.l1, "root=/dev/vda -- mem=5");
}

static void sizes(void **state)
{
	static const struct {
		const char *line;
		u64 mem;
	} rows[] = {
		{"mem=16M", 16 * MIB},		{"mem=17m", 18 * MIB},
		{"mem=0x20M", 32 * MIB},	{"mem=32768K", 32 * MIB},
		{"mem=16777216", 16 * MIB},	{"mem=1G", 1024 * MIB},
		{"mem=16M mem=1g", 1024 * MIB},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(options_parse(&o, rows[i].line, &why), 0);
		assert_int_equal(o.mem, rows[i].mem);
	}
}

static void ports(void **state)
{
	static const struct {
		const char *line;
		u16 port;
	} rows[] = {
		{"com=com1", 0x3f8},
		{"com=none", 0},
		{"com=0xe000", 0xe000},
		{"com=1000", 1000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(options_parse(&o, rows[i].line, &why), 0);
		assert_int_equal(o.port, rows[i].port);
	}
}

static void bad_words_are_named(void **state)
{
	static const char *const values[] = {
		"mem=",		 "mem=M",	 "mem=15M",
		"mem=1025M",	 "mem=64",	 "mem=-64M",
		"mem=64MB",	 "mem=0x",	 "mem=18446744073709551616G",
		"mem=99999999G", "com=",	 "com=com3",
		"com=0",	 "com=0x10000",	 "com=0x3f8,115200",
		"panic=",	 "panic=resets", "panic=hal",
	};
	static const char *const unknown[] = {
		"mem", "quite", "quiet=1", "memo=64M", "-", "---", "=", "com1",
	};
	char text[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_true(options_parse(&o, values[i], &why) < 0);
		snprintf(text, sizeof(text), "bad value in '%s'", values[i]);
		assert_string_equal(why, text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		assert_true(options_parse(&o, unknown[i], &why) < 0);
		snprintf(text, sizeof(text), "unknown option '%s'", unknown[i]);
		assert_string_equal(why, text);
	}
	/* Only the first word can be a file's name. */
	assert_true(options_parse(&o, "quiet nestbox.elf", &why) < 0);
}

static void long_words_are_cut(void **state)
{
	char line[300] = {0};

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	assert_true(options_parse(&o, line, &why) < 0);
	assert_string_equal(why, "unknown option "
				 "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'");
}

static void l1_takes_its_own_line(void **state)
{
	(void)state;
	assert_int_equal(options_parse(&o, "-- a b", &why), 0);
	assert_string_equal(options_l1(&o, ""), "a b");
	assert_string_equal(options_l1(&o, "/images/vmlinux"), "a b");
	assert_string_equal(options_l1(&o, "/images/vmlinux c"), "c");
	assert_string_equal(options_l1(&o, "root=/dev/vda d"),
			    "root=/dev/vda d");
	assert_string_equal(options_l1(&o, "quiet"), "quiet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_words),
		cmocka_unit_test(sizes),
		cmocka_unit_test(ports),
		cmocka_unit_test(bad_words_are_named),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(l1_takes_its_own_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
