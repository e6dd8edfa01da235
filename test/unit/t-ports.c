/* SPDX-License-Identifier: Apache-2.0 */
/* hv/ports: the table of trapped ports and the access of an exit. */
#include "hv/ports.h"

#include "test/unit/fake_vmm.h"

/* EXITINFO1 of an I/O exit: port, size, direction. */
#define IO(port, bytes, in) ((u64)(port) << 16 | (u64)(bytes) << 4 | (in))
#define IO_STRING	    0x4u

static struct vcpu *v;
static u16 at;
static unsigned size;

static u32 read_some(struct vcpu *who, u16 port, unsigned bytes)
{
	assert_ptr_equal(who, v);
	at = port;
	size = bytes;
	return 0x87654321;
}

static void write_some(struct vcpu *who, u16 port, unsigned bytes, u32 value)
{
	read_some(who, port, bytes);
	machine.port_value = value;
}

static bool access_port(u64 info1)
{
	struct exit exit = {.slot = EXIT_io, .info1 = info1};

	at = 0;
	return ports_access(v, &exit);
}

static int new_machine(void **state)
{
	(void)state;
	fake_new(1, X86_64);
	v = &cpus[0]->vcpu;
	v->regs.gpr[RAX] = 0x1122334455667788;
	return 0;
}

static int add_ranges(void **state)
{
	new_machine(state);
	ports_add(&(struct port_range){"own", 0x100, 0x101, read_some,
				       write_some});
	ports_add(
		&(struct port_range){"next", 0x102, 0x102, port_in, port_out});
	assert_int_equal(fake.n_ports, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fake.ports[i], 0x100 + i);
	return 0;
}

/* A write to EAX clears the upper half of RAX, one to AX or AL nothing. */
static void in_changes_its_part_of_rax(void **state)
{
	u64 *rax = &v->regs.gpr[RAX];

	(void)state;
	assert_true(access_port(IO(0x100, 1, 1)));
	assert_int_equal(*rax, 0x1122334455667721);
	assert_true(access_port(IO(0x101, 2, 1)));
	assert_int_equal(at, 0x101);
	assert_int_equal(size, 2);
	assert_int_equal(*rax, 0x1122334455664321);
	assert_true(access_port(IO(0x100, 4, 1)));
	assert_int_equal(*rax, 0x87654321);
}

static void out_gives_its_part_of_rax(void **state)
{
	(void)state;
	assert_true(access_port(IO(0x100, 1, 0)));
	assert_int_equal(machine.port_value, 0x88);
	assert_true(access_port(IO(0x100, 2, 0)));
	assert_int_equal(machine.port_value, 0x7788);
	assert_true(access_port(IO(0x101, 4, 0)));
	assert_int_equal(machine.port_value, 0x55667788);
	assert_int_equal(v->regs.gpr[RAX], 0x1122334455667788);
}

static void pass_through_keeps_the_size(void **state)
{
	(void)state;
	machine.port_value = 0xabcdef98;
	for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
		assert_true(access_port(IO(0x102, bytes, 1)));
		assert_int_equal(machine.port, 0x102);
		assert_int_equal(machine.port_bytes, bytes);
		assert_true(access_port(IO(0x102, bytes, 0)));
		assert_int_equal(machine.port_bytes, bytes);
	}
}

/* It begins before the range, or where none is. */
static void elsewhere_is_nothing(void **state)
{
	(void)state;
	assert_true(access_port(IO(0xff, 2, 1)));
	assert_int_equal(v->regs.gpr[RAX], 0x112233445566ffff);
	assert_true(access_port(IO(0xff, 2, 0)));
	assert_true(access_port(IO(0x103, 1, 1)));
	assert_int_equal(at, 0);
	assert_int_equal(machine.port, 0);
}

/* L1 reaches such ports without an exit, its guest by L0. */
static void elsewhere_is_the_machine_in_level_2(void **state)
{
	(void)state;
	v->level = 2;
	machine.port_value = 0xabcdef98;
	assert_true(access_port(IO(0x103, 4, 1)));
	assert_int_equal(machine.port, 0x103);
	assert_int_equal(v->regs.gpr[RAX], 0xabcdef98);
	assert_true(access_port(IO(0xfe, 2, 0)));
	assert_int_equal(machine.port, 0xfe);
	assert_int_equal(machine.port_value, 0xef98);
	assert_true(access_port(IO(0x101, 1, 1)));
	assert_int_equal(at, 0x101);
	machine.port = 0;
	assert_true(access_port(IO(0xff, 2, 0)));
	assert_true(access_port(IO(0xfd, 4, 1)));
	assert_int_equal(machine.port, 0);
	assert_int_equal(v->regs.gpr[RAX], 0xffffffff);
}

static void which_are_trapped(void **state)
{
	(void)state;
	for (u16 port = 0xf8; port < 0x108; port++)
		for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
			struct exit exit = {.info1 = IO(port, bytes, 0)};

			assert_int_equal(ports_are_trapped(&exit),
					 port + bytes > 0x100 && port <= 0x102);
		}
}

static void strings_are_refused(void **state)
{
	(void)state;
	assert_false(access_port(IO(0x100, 1, 1) | IO_STRING));
	assert_false(access_port(IO(0x102, 4, 0) | IO_STRING));
	assert_int_equal(at, 0);
	assert_int_equal(machine.port, 0);
	assert_int_equal(v->regs.gpr[RAX], 0x1122334455667788);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_changes_its_part_of_rax, new_machine),
		cmocka_unit_test_setup(out_gives_its_part_of_rax, new_machine),
		cmocka_unit_test_setup(pass_through_keeps_the_size,
				       new_machine),
		cmocka_unit_test_setup(elsewhere_is_nothing, new_machine),
		cmocka_unit_test_setup(elsewhere_is_the_machine_in_level_2,
				       new_machine),
		cmocka_unit_test_setup(which_are_trapped, new_machine),
		cmocka_unit_test_setup(strings_are_refused, new_machine),
	};

	return cmocka_run_group_tests(tests, add_ranges, machine_free);
}
