/* SPDX-License-Identifier: Apache-2.0 */
/* lab: stacks, consoles, payload checks, pairs, QEMU's command lines. */
#include "lab/boot.h"
#include "lab/console.h"
#include "lab/job.h"
#include "lab/multiboot.h"
#include "lab/stack.h"
#include "test/unit/unit.h"

static void stacks_are_parsed(void **state)
{
	char below[MAX_LEVEL + 2];
	struct stack s;
	struct err err;

	(void)state;
	assert_int_equal(stack_parse(&s, "0", &err), 0);
	assert_int_equal(s.guest_level, 0);
	stack_name_below(&s, below);
	assert_string_equal(below, "");
	assert_int_equal(stack_parse(&s, "3kkk", &err), 0);
	stack_name_below(&s, below);
	assert_string_equal(below, "2kk");
	assert_int_equal(s.guest_level, 3);
	assert_string_equal(s.name, "3kkk");
	assert_int_equal(stack_parse(&s, "1n", &err), 0);
	assert_true(stack_is_nestbox(&s, 0));
	assert_false(stack_is_nestbox(&s, 1));
	assert_int_equal(stack_nestboxes(&s), 1);
	assert_int_equal(stack_parse(&s, "3nnk", &err), 0);
	assert_int_equal(stack_nestboxes(&s), 2);
	assert_int_equal(stack_parse(&s, "0", &err), 0);
	assert_int_equal(stack_nestboxes(&s), 0);
}

static void wrong_stacks_are_refused(void **state)
{
	static const char *const wrong[] = {"",	   "k",	  "1",	"2k",
					    "1kk", "2kn", "1x", "4kkkk",
					    "-1k", "1k ", "99"};
	struct stack s;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(stack_parse(&s, wrong[i], &err), -1);
}

static void last_value_holds_for_the_rest(void **state)
{
	const struct per_level mem = {"--mem", 1 << 20, 1L << 44, 1 << 20, 0};
	struct stack s = {.name = "3kkk", .guest_level = 3};
	long v[MAX_LEVEL + 1];
	struct err err;

	(void)state;
	assert_int_equal(stack_parse_values(&s, &mem, "2G,512", v, &err), 0);
	assert_int_equal(v[0], 2L << 30);
	assert_int_equal(v[1], 512L << 20);
	assert_int_equal(v[3], 512L << 20);
}

static void wrong_values_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",   "x",  "1,2,3", "0",
		"65", "1G", "-1",    "99999999999999999999",
		"1,"};
	const struct per_level cpus = {"--cpus", 1, 64, 0, 0};
	struct stack s = {.name = "1k", .guest_level = 1};
	long v[MAX_LEVEL + 1];
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
			stack_parse_values(&s, &cpus, wrong[i], v, &err), -1);
}

/* `bench --stacks 1k,2kk --cpus 1,2,3`: 1k takes two of them. */
static void values_for_a_deeper_stack(void **state)
{
	const struct per_level cpus = {"--cpus", 1, 64, 0, 3};
	struct stack s = {.name = "1k", .guest_level = 1};
	long v[MAX_LEVEL + 1];
	struct err err;

	(void)state;
	assert_int_equal(stack_parse_values(&s, &cpus, "1,2,3", v, &err), 0);
	assert_int_equal(v[1], 2);
	assert_int_equal(stack_parse_values(&s, &cpus, "1,1,1,1", v, &err), -1);
}

/* A console whose lines and command output go to memory. */
struct screen {
	struct console console;
	struct report report;
	char *lines, *command;
	size_t lines_size, command_size;
};

static void feed(struct screen *s, const char *text)
{
	s->console = (struct console){
		.level = 2,
		.lines = open_memstream(&s->lines, &s->lines_size),
		.command = open_memstream(&s->command, &s->command_size),
		.report = &s->report,
	};
	for (; *text; text++)
		console_feed(&s->console, text, 1);
	console_end(&s->console);
	(void)fclose(s->console.lines);
	(void)fclose(s->console.command);
}

static void clear(struct screen *s)
{
	free(s->lines);
	free(s->command);
}

static void lines_get_their_level(void **state)
{
	struct screen s = {0};

	(void)state;
	feed(&s, "hello\r\nworld");
	assert_string_equal(s.lines, "L2| hello\nL2| world\n");
	assert_int_equal(s.report.has_status, 0);
	clear(&s);
}

static void command_output_is_exact(void **state)
{
	struct screen s = {0};

	(void)state;
	feed(&s,
	     "boot\r\n@nestbox begin\r\na\n\nb\n\n@nestbox status 3\r\nx\n");
	assert_string_equal(s.command, "a\n\nb\n");
	assert_string_equal(s.lines, "L2| boot\nL2| x\n");
	assert_int_equal(s.report.has_status, 1);
	assert_int_equal(s.report.status, 3);
	clear(&s);
}

static void command_without_last_newline(void **state)
{
	struct screen s = {0};

	(void)state;
	feed(&s, "@nestbox begin\nno newline\n@nestbox status 0\n");
	assert_string_equal(s.command, "no newline");
	clear(&s);
}

static void exits_and_failures_are_taken(void **state)
{
	struct screen s = {0};

	(void)state;
	feed(&s, "@nestbox exit 33 guest-shutdown\n@nestbox fail no disk\n");
	assert_int_equal(s.report.exit_level, 3);
	assert_int_equal(s.report.exit_code, 33);
	assert_string_equal(s.report.exit_reason, "guest-shutdown");
	assert_string_equal(s.report.failure, "no disk");
	assert_string_equal(s.lines ? s.lines : "", "");
	clear(&s);
}

static void innermost_exit_counts(void **state)
{
	struct screen s = {0};

	(void)state;
	feed(&s, "@nestbox exit 33 guest-shutdown\n");
	s.console.level = 0;
	console_feed(&s.console, "@nestbox exit 0 guest-reset\n", 28);
	assert_int_equal(s.report.exit_level, 3);
	assert_int_equal(s.report.exit_code, 33);
	assert_string_equal(s.report.exit_reason, "guest-shutdown");
	clear(&s);
}

static void long_lines_are_split(void **state)
{
	struct screen s = {0};
	size_t size = 3UL * CONSOLE_LINE;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[size - 1] = '\0';
	feed(&s, text);
	assert_int_equal(s.console.printed, 4);
	free(text);
	clear(&s);
}

static void payload_flaws_are_named(void **state)
{
	unsigned char elf64[64] = "\177ELF\2\1\1";
	unsigned char elf32[64] = "\177ELF\1\1\1";

	(void)state;
	elf32[18] = 3; /* EM_386 */
	assert_non_null(
		multiboot_flaw((const unsigned char *)"#!/bin/sh", 9, 9));
	assert_non_null(multiboot_flaw(elf64, 64, 64));
	assert_string_equal(multiboot_flaw(elf32, 64, 64),
			    "an ELF without a multiboot header");
}

/* A header with addresses says where the file goes, whatever it is. */
static void headers_with_addresses_are_payloads(void **state)
{
	const uint32_t header[8] = {0x1badb002, 1u << 16,
				    -(0x1badb002 + (1u << 16))};
	unsigned char file[64] = "no ELF";

	(void)state;
	memcpy(file + 32, header, sizeof(header));
	assert_null(multiboot_flaw(file, 64, 64));
	file[32]++;
	assert_string_equal(multiboot_flaw(file, 64, 64), "not an ELF file");
}

static void pairs_are_split(void **state)
{
	char *from, *to;

	(void)state;
	job_split_pair("dir/a.txt:b.txt", &from, &to);
	assert_string_equal(from, "dir/a.txt");
	assert_string_equal(to, "b.txt");
	free(from);
	free(to);
	job_split_pair("dir/a.txt", &from, &to);
	assert_string_equal(to, "a.txt");
	free(from);
	free(to);
}

static bool has_word(const struct args *a, const char *word)
{
	for (size_t i = 0; i < a->n; i++)
		if (strstr(a->v[i], word))
			return true;
	return false;
}

static void each_machine_has_its_command_line(void **state)
{
	struct spec s = {.stack = {"2kk", 2},
			 .guest = GUEST_PAYLOAD,
			 .payload = "p.elf",
			 .mem = {3L << 30, 2L << 30, 1L << 27},
			 .cpus = {1, 1, 2},
			 .accel = ACCEL_TCG,
			 .exact = true,
			 .cpu = "EPYC"};
	struct cache c = {.emulator = "qemu", .tools = "/a,b/tools.img"};
	struct wires w = {.job = 7, .out = -1, .console = {3, 4, 5, -1}};
	struct args outer = {0}, middle = {0}, inner = {0};

	(void)state;
	machine_args(&outer, &s, &c, &w, 0);
	machine_args(&middle, &s, &c, &w, 1);
	machine_args(&inner, &s, &c, &w, 2);
	assert_true(has_word(&outer, "shift=0,sleep=off"));
	assert_true(has_word(&outer, "/a,,b/tools.img"));
	assert_true(has_word(&outer, "/dev/fd/5"));
	assert_true(has_word(&middle, "nb.level=1"));
	assert_true(has_word(&middle, "/dev/ttyS2"));
	assert_false(has_word(&middle, "/dev/ttyS3"));
	assert_true(has_word(&inner, "isa-debug-exit"));
	assert_false(has_word(&inner, "icount"));
	args_free(&outer);
	args_free(&middle);
	args_free(&inner);
}

/* Each level's console has a port, and each L(k) finds those of the levels
 * above behind its own. */
static void nestboxes_take_the_last_ports(void **state)
{
	struct spec one = {.stack = {"1n", 1}}, two = {.stack = {"3nnk", 3}};

	(void)state;
	assert_int_equal(boot_port(&one, 1), 0);
	assert_int_equal(boot_port(&one, 0), 1);
	assert_int_equal(boot_port(&two, 2), 0);
	assert_int_equal(boot_port(&two, 3), 1);
	assert_int_equal(boot_port(&two, 1), 2);
	assert_int_equal(boot_port(&two, 0), 3);
}

static void nestbox_is_a_module_of_nestbox(void **state)
{
	struct spec s = {.stack = {"3nnk", 3},
			 .guest = GUEST_LINUX,
			 .mem = {4L << 30, 3L << 30, 2L << 30, 1L << 30},
			 .cpus = {1, 1, 1, 1},
			 .exact = true,
			 .cpu = "max"};
	struct cache c = {.emulator = "qemu",
			  .kernel = "/a,b/vmlinux",
			  .initrd = "/level.cpio"};
	struct wires w = {.job = 7, .out = -1, .console = {3, 4, 5, 6}};
	struct args outer = {0}, inner = {0};

	(void)state;
	machine_args(&outer, &s, &c, &w, 0);
	machine_args(&inner, &s, &c, &w, 3);
	assert_true(has_word(&outer, "com=0x2e8 panic=reset"));
	assert_true(has_word(&outer, "/nestbox.elf com=0x3e8 panic=reset,"
				     "/a,,b/vmlinux console=ttyS0"));
	assert_true(has_word(&outer, "nb.level=2,/level.cpio"));
	assert_true(has_word(&inner, "/dev/ttyS1"));
	assert_false(has_word(&inner, "/dev/ttyS2"));
	args_free(&outer);
	args_free(&inner);
}

/* By nestbox.elf under the names that they have here, by a level's QEMU under
 * those of the job. */
static void payloads_have_modules(void **state)
{
	struct spec s = {.stack = {"1n", 1},
			 .guest = GUEST_PAYLOAD,
			 .payload = "p.elf",
			 .mem = {1L << 28, 1L << 27},
			 .cpus = {1, 1},
			 .cpu = "max"};
	struct cache c = {.emulator = "qemu"};
	struct wires w = {.job = 7, .out = -1};
	struct args outer = {0}, inner = {0};

	(void)state;
	args_add(&s.modules, "dir/a word,word");
	args_add(&s.modules, "a");
	machine_args(&outer, &s, &c, &w, 0);
	assert_true(has_word(&outer, "p.elf ,dir/a word,,word,a"));
	s.stack = (struct stack){"1k", 1};
	machine_args(&inner, &s, &c, &w, 1);
	assert_true(has_word(&inner, "/job/module/0/a word,,word,"
				     "/job/module/1/a"));
	args_free(&s.modules);
	args_free(&outer);
	args_free(&inner);
}

/* The guest's machine has the type that was asked for, the others not. */
static void guests_have_their_machine(void **state)
{
	struct spec s = {.stack = {"2kk", 2},
			 .guest = GUEST_LINUX,
			 .mem = {3L << 30, 2L << 30, 1L << 30},
			 .cpus = {1, 1, 1},
			 .machine = "q35",
			 .cpu = "max"};
	struct cache c = {.emulator = "qemu"};
	struct wires w = {.job = 7, .out = -1};
	struct args middle = {0}, q35 = {0}, microvm = {0};

	(void)state;
	machine_args(&middle, &s, &c, &w, 1);
	machine_args(&q35, &s, &c, &w, 2);
	s.machine = "microvm";
	s.i386 = true;
	args_add(&s.guest_qemu, "-name");
	machine_args(&microvm, &s, &c, &w, 2);
	assert_true(has_word(&middle, "pc,nvdimm=on"));
	assert_true(has_word(&middle, "qboot.rom"));
	assert_false(has_word(&middle, "-name"));
	assert_true(has_word(&q35, "q35,nvdimm=on"));
	assert_false(has_word(&q35, "qboot.rom"));
	assert_true(has_word(&microvm, "microvm"));
	assert_true(has_word(&microvm, "/job/kernel"));
	assert_true(has_word(&microvm, "-name"));
	assert_false(has_word(&microvm, "nvdimm"));
	args_free(&middle);
	args_free(&q35);
	args_free(&microvm);
	args_free(&s.guest_qemu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_are_parsed),
		cmocka_unit_test(wrong_stacks_are_refused),
		cmocka_unit_test(last_value_holds_for_the_rest),
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(values_for_a_deeper_stack),
		cmocka_unit_test(lines_get_their_level),
		cmocka_unit_test(command_output_is_exact),
		cmocka_unit_test(command_without_last_newline),
		cmocka_unit_test(exits_and_failures_are_taken),
		cmocka_unit_test(innermost_exit_counts),
		cmocka_unit_test(long_lines_are_split),
		cmocka_unit_test(payload_flaws_are_named),
		cmocka_unit_test(headers_with_addresses_are_payloads),
		cmocka_unit_test(pairs_are_split),
		cmocka_unit_test(each_machine_has_its_command_line),
		cmocka_unit_test(nestboxes_take_the_last_ports),
		cmocka_unit_test(nestbox_is_a_module_of_nestbox),
		cmocka_unit_test(payloads_have_modules),
		cmocka_unit_test(guests_have_their_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
