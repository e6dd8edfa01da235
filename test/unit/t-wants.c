/* SPDX-License-Identifier: Apache-2.0 */
/* hv/nested/wants: the intercept vectors, and the maps in L1's memory. */
#include "hv/nested/wants.h"

#include "test/unit/ram.h"

#define MAP   0x200000ull
#define PAGES 0x3000ull

static struct ram ram;
static struct phys l1;

static int setup(void **state)
{
	(void)state;
	ram_new(&ram, MAP, PAGES);
	l1 = ram_phys(&ram);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram.bytes);
	return 0;
}

static void set_bit(u32 bit)
{
	ram.bytes[bit / 8] |= (u8)(1u << bit % 8);
}

static void clear_map(void)
{
	memset(ram.bytes, 0, PAGES);
}

/* Each bit of the vectors is for the exit of its number and for no other. */
static void vectors(void **state)
{
	struct vmcb v;

	(void)state;
	for (u32 set = 0; set <= VMCB_EXIT_CHOSEN_MAX; set++) {
		memset(&v, 0, sizeof(v));
		vmcb_intercept(&v, set);
		for (u32 code = 0; code <= VMCB_EXIT_CHOSEN_MAX; code++)
			assert_int_equal(wants_exit(&v.control, code),
					 code == set);
	}
}

static u64 code_of(const void *bytes, size_t n)
{
	struct x86_insn insn;

	assert_int_equal(x86_decode(bytes, n, X86_64, &insn), X86_OK);
	return code_of_read(&insn, 0x123);
}

static void codes_of_reads(void **state)
{
	(void)state;
	assert_int_equal(code_of("\x0f\x20\xc2", 3), VMCB_EXIT_CR_READ);
	assert_int_equal(code_of("\x0f\x20\xd2", 3), VMCB_EXIT_CR_READ + 2);
	assert_int_equal(code_of("\x0f\x20\xdc", 3), VMCB_EXIT_CR_READ + 3);
	assert_int_equal(code_of("\x0f\x20\xe0", 3), VMCB_EXIT_CR_READ + 4);
	assert_int_equal(code_of("\x45\x0f\x20\xc3", 4), VMCB_EXIT_CR_READ + 8);
	assert_int_equal(code_of("\x0f\x01\xe2", 3), VMCB_EXIT_CR_READ);
	assert_int_equal(code_of("\x0f\x01\x23", 3), VMCB_EXIT_CR_READ);
	assert_int_equal(code_of("\x0f\x31", 2), VMCB_EXIT_RDTSC);
	assert_int_equal(code_of("\x0f\x01\xf9", 3), VMCB_EXIT_RDTSCP);
	assert_int_equal(code_of("\x0f\xa2", 2), 0x123);
}

/* By ranges: all between two edges are as the first of them. */
static void which_have_an_insn(void **state)
{
	static const struct {
		u32 from;
		bool before;
	} edges[] = {
		{0x00, true},	{0x40, false}, {0x43, true}, {0x45, false},
		{0x65, true},	{0x7d, false}, {0x80, true}, {0x8f, false},
		{0xa0, true},	{0xa5, false}, {0xa6, true}, {0xc0, false},
		{0x404, false},
	};

	(void)state;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(edges); i++)
		for (u32 code = edges[i].from; code < edges[i + 1].from; code++)
			assert_int_equal(vmcb_exits_before_insn(code),
					 edges[i].before);
	assert_false(vmcb_exits_before_insn(VMCB_EXIT_INVALID));
}

static void without_vector(void **state)
{
	static const u64 codes[] = {
		VMCB_EXIT_CHOSEN_MAX + 1, VMCB_EXIT_NPF,     0x401, 0x402,
		VMCB_EXIT_INVALID,	  0xfffffffffffffffe};
	const struct vmcb_control none = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		assert_true(wants_exit(&none, codes[i]));
}

/* EXITINFO1 of an IN of @bytes. */
static u64 in(u32 port, u32 bytes)
{
	const u64 size = bytes == 1 ? 0x10 : bytes == 2 ? 0x20 : 0x40;

	return (u64)port << 16 | size | VMCB_IO_IN;
}

/* Around each of these ports, each set bit against each access. */
static void port_bits(void **state)
{
	static const u32 around[] = {0x10, 0x1c, 0x7ff8, 0x7ffc, 0xfff4};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(around); i++)
		for (u32 set = around[i]; set < around[i] + 15; set++) {
			clear_map();
			set_bit(set);
			for (u32 n = 0; n < 36; n++) {
				u32 port = around[i] + n / 3;
				u32 bytes = 1u << n % 3;

				assert_int_equal(
					wants_port(&l1, MAP, in(port, bytes)),
					port <= set && set < port + bytes);
			}
		}
}

/* Behind port 0xffff come three bits more. */
static void third_page(void **state)
{
	(void)state;
	set_bit(0x10002);
	assert_true(wants_port(&l1, MAP, in(0xffff, 4)));
	assert_false(wants_port(&l1, MAP, in(0xffff, 2)));
	assert_false(wants_port(&l1, MAP, in(0xfffe, 4)));
	clear_map();
	set_bit(0x10003);
	assert_false(wants_port(&l1, MAP, in(0xffff, 4)));
}

static void string_forms(void **state)
{
	const u64 rep = VMCB_IO_STRING | VMCB_IO_REP | 0x200 | 0xc00;

	(void)state;
	set_bit(0x61);
	assert_true(wants_port(&l1, MAP, in(0x61, 1) | rep));
	assert_true(wants_port(&l1, MAP, in(0x5e, 4) | rep));
	assert_false(wants_port(&l1, MAP, in(0x60, 1) | rep));
	assert_false(wants_port(&l1, MAP, in(0x62, 4) | rep));
	assert_true(wants_port(&l1, MAP, in(0x61, 1) & ~(u64)VMCB_IO_IN));
}

/* The map's pages are @from to the end; others are not in memory. */
static void leave(u64 from, u64 size)
{
	ram.start = MAP + from;
	ram.size = size;
}

static void missing_pages_of_ports(void **state)
{
	(void)state;
	leave(0, 0x1000);
	assert_false(wants_port(&l1, MAP, in(0x7fff, 1)));
	assert_true(wants_port(&l1, MAP, in(0x7fff, 2)));
	assert_true(wants_port(&l1, MAP, in(0x8000, 1)));
	leave(0, 0x2000);
	assert_false(wants_port(&l1, MAP, in(0xfffc, 4)));
	assert_false(wants_port(&l1, MAP, in(0xffff, 1)));
	assert_true(wants_port(&l1, MAP, in(0xffff, 2)));
	assert_true(wants_port(&l1, MAP, in(0xfffd, 4)));
	leave(0x1000, 0x2000);
	assert_true(wants_port(&l1, MAP, in(0, 1)));
	assert_true(wants_port(&l1, MAP, in(0x7fff, 2)));
	assert_false(wants_port(&l1, MAP, in(0x8000, 1)));
}

static void msr_bits(void **state)
{
	static const struct {
		u32 msr, bit;
	} edges[] = {
		{0, 0},
		{0x1fff, 0x3ffe},
		{0x10, 0x20},
		{0xc0000000, 0x4000},
		{0xc0000080, 0x4100},
		{0xc0001fff, 0x7ffe},
		{0xc0010000, 0x8000},
		{0xc0010114, 0x8228},
		{0xc0011fff, 0xbffe},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		for (u32 write = 0; write < 2; write++) {
			clear_map();
			set_bit(edges[i].bit + write);
			for (size_t j = 0; j < ARRAY_SIZE(edges); j++) {
				u32 msr = edges[j].msr;

				assert_int_equal(wants_msr(&l1, MAP, msr, true),
						 i == j && write);
				assert_int_equal(
					wants_msr(&l1, MAP, msr, false),
					i == j && !write);
			}
		}
}

static void msrs_in_no_range(void **state)
{
	static const u32 outside[] = {0x2000,	  0x40000000, 0xbfffffff,
				      0xc0002000, 0xc000ffff, 0xc0012000,
				      0xffffffff, 0x80000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		assert_true(wants_msr(&l1, MAP, outside[i], false));
		assert_true(wants_msr(&l1, MAP, outside[i], true));
	}
}

static void missing_pages_of_msrs(void **state)
{
	(void)state;
	leave(0, 0x1000);
	assert_false(wants_msr(&l1, MAP, 0xc0001fff, true));
	assert_true(wants_msr(&l1, MAP, 0xc0010000, false));
	leave(0x1000, 0x1000);
	assert_true(wants_msr(&l1, MAP, 0, false));
	assert_false(wants_msr(&l1, MAP, 0xc0011fff, true));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(codes_of_reads),
		cmocka_unit_test(which_have_an_insn),
		cmocka_unit_test(without_vector),
		TEST(port_bits),
		TEST(third_page),
		TEST(string_forms),
		TEST(missing_pages_of_ports),
		TEST(msr_bits),
		TEST(msrs_in_no_range),
		TEST(missing_pages_of_msrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
