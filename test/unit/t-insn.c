/* SPDX-License-Identifier: Apache-2.0 */
/* capture/insn.h: instructions as an assembler makes them. */
#include "capture/insn.h"
#include "test/unit/unit.h"

struct sample {
	const char *text;
	size_t len;
	u8 bytes[8];
};

static void locked_ones(void **state)
{
	static const struct sample atomic[] = {
		{"lock xadd %rax, (%rbx)", 5, {0xf0, 0x48, 0x0f, 0xc1, 0x03}},
		{"lock incw (%rbx)", 4, {0x66, 0xf0, 0xff, 0x03}},
		{"xchg %eax, (%rbx)", 2, {0x87, 0x03}},
		{"xchg %r9, (%rbx)", 3, {0x4c, 0x87, 0x0b}},
	};
	static const struct sample others[] = {
		{"add %rax, (%rbx)", 3, {0x48, 0x01, 0x03}},
		{"mov $0xf0, %al", 2, {0xb0, 0xf0}},
		{"rep movsb", 2, {0xf3, 0xa4}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(atomic); i++)
		assert_true(insn_is_atomic(atomic[i].bytes, atomic[i].len));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(insn_is_atomic(others[i].bytes, others[i].len));
}

static void loads_of_cr3(void **state)
{
	static const struct sample from[] = {
		{"mov %rax, %cr3", 3, {0x0f, 0x22, 0xd8}},
		{"mov %rdi, %cr3", 3, {0x0f, 0x22, 0xdf}},
		{"mov %r8, %cr3", 4, {0x41, 0x0f, 0x22, 0xd8}},
		{"mov %r15, %cr3", 4, {0x41, 0x0f, 0x22, 0xdf}},
	};
	static const int reg[] = {0, 7, 8, 15};
	static const struct sample others[] = {
		{"mov %rax, %cr4", 3, {0x0f, 0x22, 0xe0}},
		{"mov %rax, %cr0", 3, {0x0f, 0x22, 0xc0}},
		{"mov %cr3, %rax", 3, {0x0f, 0x20, 0xd8}},
		{"mov %rax, %cr11", 4, {0x44, 0x0f, 0x22, 0xd8}},
		{"cut off", 2, {0x0f, 0x22}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		assert_int_equal(insn_cr3_source(from[i].bytes, from[i].len),
				 reg[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(
			insn_cr3_source(others[i].bytes, others[i].len), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locked_ones),
		cmocka_unit_test(loads_of_cr3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
