/* SPDX-License-Identifier: Apache-2.0 */
/* hv/mmio and hv/insn: which range an access meets, and how it is fetched. */
#include "hv/mmio.h"

#include "hv/insn.h"
#include "test/unit/fake_vmm.h"

#define HOLE   0x80000000ull
#define DEVICE 0x80001000ull /* behind it: ranges may touch */

static struct vcpu *v;
static struct {
	u64 offset, value;
	unsigned bytes, reads, writes;
} last;

static u64 read_device(struct vcpu *who, const struct mmio_range *r, u64 offset,
		       unsigned bytes)
{
	(void)r;
	assert_ptr_equal(who, v);
	last.offset = offset;
	last.bytes = bytes;
	last.reads++;
	return 0x12;
}

static void write_device(struct vcpu *who, const struct mmio_range *r,
			 u64 offset, unsigned bytes, u64 value)
{
	(void)r;
	assert_ptr_equal(who, v);
	last.offset = offset;
	last.bytes = bytes;
	last.value = value;
	last.writes++;
}

static int new_machine(void **state)
{
	(void)state;
	fake_new(1, X86_32);
	v = &cpus[0]->vcpu;
	memset(&last, 0, sizeof(last));
	return 0;
}

static int add_ranges(void **state)
{
	new_machine(state);
	mmio_add(&(struct mmio_range){"hole", HOLE, DEVICE, mmio_read_ones,
				      mmio_write_nothing});
	mmio_add(&(struct mmio_range){"device", DEVICE, DEVICE + PAGE_SIZE,
				      read_device, write_device});
	return 0;
}

#define INSN(...)                               \
	fake_insn(v, (const u8[]){__VA_ARGS__}, \
		  sizeof((const u8[]){__VA_ARGS__}))

static void ranges_are_told_apart(void **state)
{
	(void)state;
	INSN(0x8b, 0x03); /* MOV EAX, [EBX] */
	v->regs.gpr[RBX] = DEVICE - 4;
	assert_int_equal(mmio_access(v, DEVICE - 4, false), MMIO_DONE);
	assert_int_equal(v->regs.gpr[RAX], 0xffffffff);
	v->regs.gpr[RBX] = DEVICE + 8;
	assert_int_equal(mmio_access(v, DEVICE + 8, false), MMIO_DONE);
	assert_int_equal(v->regs.gpr[RAX], 0x12);
	assert_int_equal(last.offset, 8);
	assert_int_equal(last.bytes, 4);
	assert_int_equal(last.reads, 1);
	assert_int_equal(mmio_access(v, HOLE - 4, false), MMIO_UNKNOWN);
	assert_int_equal(mmio_access(v, DEVICE + PAGE_SIZE, false),
			 MMIO_UNKNOWN);
	assert_int_equal(last.reads, 1);
}

static void a_write_arrives(void **state)
{
	(void)state;
	INSN(0x66, 0x89, 0x0b); /* MOV [EBX], CX */
	v->regs.gpr[RBX] = DEVICE + 0x10;
	v->regs.gpr[RCX] = 0x89abcdef;
	assert_int_equal(mmio_access(v, DEVICE + 0x10, true), MMIO_DONE);
	assert_int_equal(last.offset, 0x10);
	assert_int_equal(last.bytes, 2);
	assert_int_equal(last.value, 0xcdef);
	assert_int_equal(last.reads, 0);
}

static void holes_have_the_size(void **state)
{
	(void)state;
	assert_int_equal(mmio_read_ones(v, NULL, 0, 1), 0xff);
	assert_int_equal(mmio_read_ones(v, NULL, 0, 2), 0xffff);
	assert_int_equal(mmio_read_ones(v, NULL, 0, 8), ~0ull);
}

/* Its first bytes are not the range's. */
static void crossing_into_a_range_is_unknown(void **state)
{
	(void)state;
	INSN(0x8b, 0x03);
	v->regs.gpr[RBX] = HOLE - 2;
	assert_int_equal(mmio_access(v, HOLE, false), MMIO_UNKNOWN);
}

static void code_elsewhere_is_unknown(void **state)
{
	(void)state;
	INSN(0x0f, 0x0b); /* UD2 */
	assert_int_equal(mmio_access(v, DEVICE, true), MMIO_UNKNOWN);
	v->regs.rip = FAKE_RAM_SIZE;
	assert_int_equal(mmio_access(v, DEVICE, true), MMIO_UNKNOWN);
	assert_int_equal(last.writes, 0);
}

/* One turn at a time; the source is L1's memory, and has to be there. */
static void strings_move(void **state)
{
	const u32 word = 0x31415926;

	(void)state;
	INSN(0xf3, 0xa5); /* REP MOVSD */
	ram_put32(&machine.ram, 0x2000, word);
	v->regs.gpr[RCX] = 2;
	v->regs.gpr[RSI] = 0x2000;
	v->regs.gpr[RDI] = DEVICE;
	assert_int_equal(mmio_access(v, DEVICE, true), MMIO_AGAIN);
	assert_int_equal(last.value, word);
	assert_int_equal(v->regs.gpr[RCX], 1);
	v->regs.gpr[RSI] = FAKE_RAM_SIZE - 2;
	assert_int_equal(mmio_access(v, DEVICE + 4, true), MMIO_UNKNOWN);
	assert_int_equal(last.writes, 1);
}

/* INT3 and INTO, not INTn of the same vectors. */
static void traps_by_their_vector(void **state)
{
	(void)state;
	INSN(0xcc);
	assert_int_equal(insn_trap(v), VECTOR_BP);
	INSN(0xcd, VECTOR_BP);
	assert_int_equal(insn_trap(v), 0);
	INSN(0xce);
	assert_int_equal(insn_trap(v), VECTOR_OF);
	INSN(0xcd, VECTOR_OF);
	assert_int_equal(insn_trap(v), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ranges_are_told_apart, new_machine),
		cmocka_unit_test_setup(a_write_arrives, new_machine),
		cmocka_unit_test_setup(holes_have_the_size, new_machine),
		cmocka_unit_test_setup(crossing_into_a_range_is_unknown,
				       new_machine),
		cmocka_unit_test_setup(code_elsewhere_is_unknown, new_machine),
		cmocka_unit_test_setup(strings_move, new_machine),
		cmocka_unit_test_setup(traps_by_their_vector, new_machine),
	};

	return cmocka_run_group_tests(tests, add_ranges, machine_free);
}
