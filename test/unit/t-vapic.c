/* SPDX-License-Identifier: Apache-2.0 */
/* hv/vapic and the requests of hv/smp: whom L1's commands reach, and how. */
#include "hv/vapic.h"

#include "hv/mmio.h"
#include "hv/smp.h"
#include "test/unit/fake_vmm.h"

#define CPUS   4
#define VECTOR 0x42u

#define ICR (MSR_X2APIC + APIC_ICR / 16)

static struct vcpu *v; /* the sender: CPU 1 */

/* MOV dword [APIC_PAGE + @reg], @value, by the CPU of @by. */
static void store(struct vcpu *by, u32 reg, u32 value)
{
	u8 insn[10] = {0xc7, 0x05};
	u32 at = APIC_PAGE + reg;

	memcpy(insn + 2, &at, sizeof(at));
	memcpy(insn + 6, &value, sizeof(value));
	by->regs.rip = FAKE_RIP;
	fake_insn(by, insn, sizeof(insn));
	assert_int_equal(mmio_access(by, at, true), MMIO_DONE);
}

static int new_machine(void **state)
{
	(void)state;
	fake_new(CPUS, X86_32);
	machine.self = cpus[1];
	v = &cpus[1]->vcpu;
	machine.apic[APIC_DFR / 16] = ~0u;
	for (unsigned i = 0; i < CPUS; i++)
		vapic_start(&cpus[i]->vcpu);
	return 0;
}

static int trap_page(void **state)
{
	new_machine(state);
	vapic_init();
	return 0;
}

/* The CPUs, a bit each, of which exactly @what is requested; takes it. */
static unsigned asked(enum request what)
{
	unsigned found = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		if (cpus[i]->requests)
			assert_int_equal(cpus[i]->requests, what);
		found |= cpus[i]->requests ? 1u << i : 0;
		cpus[i]->requests = 0;
	}
	return found;
}

static unsigned command(u32 dest, u32 icr)
{
	store(v, APIC_ICR_HI, dest << XAPIC_ID_SHIFT);
	store(v, APIC_ICR, icr);
	return asked(REQUEST_NMI);
}

static void x2apic_mode(void)
{
	machine.apic_base |= APIC_BASE_X2APIC;
}

static unsigned x2_command(u32 dest, u32 icr)
{
	assert_true(vapic_write_icr(v, ICR, (u64)dest << 32 | icr));
	return asked(REQUEST_NMI);
}

static void physical(void **state)
{
	(void)state;
	assert_int_equal(command(0, ICR_NMI), 1);
	assert_int_equal(command(3, ICR_NMI), 8);
	assert_int_equal(command(1, ICR_NMI), 2);
	assert_int_equal(command(4, ICR_NMI), 0);
	assert_int_equal(command(XAPIC_BROADCAST, ICR_NMI), 15);
	x2apic_mode();
	assert_int_equal(x2_command(2, ICR_NMI), 4);
	assert_int_equal(x2_command(2 << XAPIC_ID_SHIFT, ICR_NMI), 0);
	assert_int_equal(x2_command(XAPIC_BROADCAST, ICR_NMI), 0);
	assert_int_equal(x2_command(X2APIC_BROADCAST, ICR_NMI), 15);
}

/* The destination is not looked at. */
static void shorthands(void **state)
{
	(void)state;
	assert_int_equal(command(3, ICR_NMI | ICR_SELF), 2);
	assert_int_equal(command(3, ICR_NMI | ICR_ALL), 15);
	assert_int_equal(command(3, ICR_NMI | ICR_ALL_BUT_SELF), 13);
	assert_int_equal(command(3, ICR_NMI | ICR_LOGICAL | ICR_SELF), 2);
	x2apic_mode();
	assert_int_equal(x2_command(3, ICR_NMI | ICR_SELF), 2);
	assert_int_equal(x2_command(3, ICR_NMI | ICR_ALL_BUT_SELF), 13);
}

static void logical_flat(void **state)
{
	const u32 nmi = ICR_NMI | ICR_LOGICAL;

	(void)state;
	for (unsigned i = 0; i < CPUS; i++)
		store(&cpus[i]->vcpu, APIC_LDR, 0x10u << i << XAPIC_ID_SHIFT);
	assert_int_equal(command(0x10, nmi), 1);
	assert_int_equal(command(0xa0, nmi), 10);
	assert_int_equal(command(0x0f, nmi), 0);
	assert_int_equal(command(0xff, nmi), 15);
	assert_int_equal(machine.apic[APIC_LDR / 16], 0x80000000);
}

/* CPUs 0 and 1 are in cluster 2, the others in cluster 3. */
static void logical_cluster(void **state)
{
	static const u32 id[CPUS] = {0x21, 0x22, 0x31, 0x34};
	const u32 nmi = ICR_NMI | ICR_LOGICAL;

	(void)state;
	for (unsigned i = 0; i < CPUS; i++) {
		store(&cpus[i]->vcpu, APIC_DFR, 0);
		store(&cpus[i]->vcpu, APIC_LDR, id[i] << XAPIC_ID_SHIFT);
	}
	assert_int_equal(command(0x21, nmi), 1);
	assert_int_equal(command(0x23, nmi), 3);
	assert_int_equal(command(0x35, nmi), 12);
	assert_int_equal(command(0x32, nmi), 0);
	assert_int_equal(command(0x41, nmi), 0);
	assert_int_equal(command(0xf1, nmi), 5);
}

static void logical_x2apic(void **state)
{
	const u32 nmi = ICR_NMI | ICR_LOGICAL;

	(void)state;
	x2apic_mode();
	cpus[3]->apic_id = 0x12;
	assert_int_equal(x2_command(0x00003, nmi), 3);
	assert_int_equal(x2_command(0x10004, nmi), 8);
	assert_int_equal(x2_command(0x10001, nmi), 0);
	assert_int_equal(x2_command(0x20004, nmi), 0);
	assert_int_equal(x2_command(X2APIC_BROADCAST, nmi), 15);
}

/* A level-triggered de-assertion is no INIT (APM vol. 2, 16.5). */
static void init_and_start_up(void **state)
{
	u8 vector;

	(void)state;
	store(v, APIC_ICR_HI, 2 << XAPIC_ID_SHIFT);
	store(v, APIC_ICR, ICR_INIT | ICR_LEVEL);
	assert_int_equal(asked(REQUEST_INIT), 0);
	store(v, APIC_ICR, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	assert_int_equal(asked(REQUEST_INIT), 4);
	store(v, APIC_ICR, ICR_INIT | ICR_ASSERT);
	assert_int_equal(asked(REQUEST_INIT), 4);
	store(v, APIC_ICR, ICR_STARTUP | VECTOR);
	store(v, APIC_ICR, ICR_STARTUP | (VECTOR + 1));
	assert_int_equal(smp_next_request(cpus[2], &vector), REQUEST_START);
	assert_int_equal(vector, VECTOR);
	assert_int_equal(smp_next_request(cpus[2], &vector), 0);
}

/* What came before an INIT is gone; after it the order is the architecture's,
 * not that of the commands. */
static void requests_have_an_order(void **state)
{
	struct cpu *to = cpus[2];
	u8 vector;

	(void)state;
	smp_request(to, REQUEST_NMI, 0);
	smp_request(to, REQUEST_START, 1);
	smp_request(to, REQUEST_INIT, 0);
	smp_request(to, REQUEST_NMI, 0);
	smp_request(to, REQUEST_START, 2);
	assert_true(smp_is_asked(to));
	assert_int_equal(smp_next_request(to, &vector), REQUEST_INIT);
	assert_int_equal(smp_next_request(to, &vector), REQUEST_START);
	assert_int_equal(vector, 2);
	assert_int_equal(smp_next_request(to, &vector), REQUEST_NMI);
	assert_int_equal(smp_next_request(to, &vector), 0);
	assert_false(smp_is_asked(to));
}

/* One NMI until it is taken, however much is asked; none to oneself. */
static void a_kick_is_one_nmi(void **state)
{
	(void)state;
	command(2, ICR_NMI);
	command(2, ICR_NMI);
	assert_int_equal(machine.n_sent, 1);
	assert_int_equal(machine.sent[0].dest, 2);
	assert_int_equal(machine.sent[0].command, ICR_ASSERT | ICR_NMI);
	assert_true(smp_was_kicked(cpus[2]));
	assert_false(smp_was_kicked(cpus[2]));
	command(2, ICR_NMI);
	assert_int_equal(machine.n_sent, 2);
	command(1, ICR_NMI);
	assert_int_equal(machine.n_sent, 2);
	assert_false(smp_was_kicked(cpus[1]));
}

/* Whether a command reaches the hardware's ICR. */
static bool reaches_hardware(u32 icr)
{
	machine.apic[APIC_ICR / 16] = 0;
	store(v, APIC_ICR_HI, 2 << XAPIC_ID_SHIFT);
	store(v, APIC_ICR, icr);
	cpus[2]->requests = 0;
	return machine.apic[APIC_ICR / 16] == icr;
}

static void smi_is_dropped(void **state)
{
	(void)state;
	assert_false(reaches_hardware(ICR_SMI | ICR_ASSERT));
	assert_false(reaches_hardware(ICR_READ | ICR_ASSERT));
	assert_int_equal(machine.n_sent, 0);
	x2apic_mode();
	assert_int_equal(x2_command(2, ICR_SMI), 0);
	assert_int_equal(machine.icr, 0);
}

static void hardware_sends_the_rest(void **state)
{
	u64 value;

	(void)state;
	assert_true(reaches_hardware(ICR_FIXED | ICR_ASSERT | VECTOR));
	assert_int_equal(machine.apic[APIC_ICR_HI / 16], 2 << XAPIC_ID_SHIFT);
	assert_false(reaches_hardware(ICR_NMI | ICR_ASSERT));
	assert_false(reaches_hardware(ICR_STARTUP | ICR_ASSERT));
	x2apic_mode();
	assert_int_equal(x2_command(3, ICR_FIXED | VECTOR), 0);
	assert_int_equal(machine.icr, 3ull << 32 | VECTOR);
	assert_int_equal(x2_command(2, ICR_NMI), 4);
	assert_int_equal(machine.icr, 3ull << 32 | VECTOR);
	assert_true(vapic_read_icr(v, &value));
	assert_int_equal(value, 2ull << 32 | ICR_NMI);
	machine.wrmsr_faults = true;
	assert_false(vapic_write_icr(v, ICR, 0x1000000));
	assert_true(vapic_read_icr(v, &value));
	assert_int_equal(value, 2ull << 32 | ICR_NMI);
}

/* Registers are 32 bits wide and 16 bytes apart. */
static void odd_writes_are_dropped(void **state)
{
	(void)state;
	v->regs.rip = FAKE_RIP;
	fake_insn(v, (const u8[]){0xc6, 0x03, 0x01}, 3); /* MOV [EBX], byte */
	v->regs.gpr[RBX] = APIC_PAGE + APIC_TPR;
	assert_int_equal(mmio_access(v, APIC_PAGE + APIC_TPR, true), MMIO_DONE);
	store(v, APIC_TPR + 4, 1);
	assert_int_equal(machine.n_apic_writes, 0);
	store(v, APIC_TPR, 1);
	assert_int_equal(machine.n_apic_writes, 1);
}

/* L1 has the page in xAPIC mode only, the MSRs in x2APIC mode only. */
static void xapic_has_no_icr_msr(void **state)
{
	u64 value;

	(void)state;
	assert_false(vapic_write_icr(v, ICR, ICR_NMI | ICR_ALL));
	assert_false(vapic_read_icr(v, &value));
	assert_int_equal(asked(REQUEST_NMI), 0);
}

/* Nothing is there then: neither a write nor the read of an ADD may become the
 * access of an MSR, which need not exist and would fault in L0. */
static void x2apic_has_no_page(void **state)
{
	const u8 add[] = {0x81, 0x03, 1, 0, 0, 0}; /* ADD dword [EBX], 1 */

	(void)state;
	x2apic_mode();
	for (u32 reg = 0; reg < PAGE_SIZE; reg += 16) {
		store(v, reg, ICR_NMI | ICR_ALL);
		v->regs.rip = FAKE_RIP;
		fake_insn(v, add, sizeof(add));
		v->regs.gpr[RBX] = APIC_PAGE + reg;
		assert_int_equal(mmio_access(v, APIC_PAGE + reg, true),
				 MMIO_DONE);
	}
	assert_int_equal(asked(REQUEST_NMI), 0);
	assert_int_equal(machine.n_apic_writes, 0);
}

static void the_page_stays(void **state)
{
	u64 base = machine.apic_base;

	(void)state;
	assert_false(vapic_write_base(v, MSR_APIC_BASE, base + PAGE_SIZE));
	assert_false(vapic_write_base(v, MSR_APIC_BASE, base ^ APIC_BASE_BSP));
	assert_int_equal(machine.apic_base, base);
	assert_true(
		vapic_write_base(v, MSR_APIC_BASE, base | APIC_BASE_X2APIC));
	assert_int_equal(machine.apic_base, base | APIC_BASE_X2APIC);
	machine.wrmsr_faults = true;
	assert_false(vapic_write_base(v, MSR_APIC_BASE, base));
}

static void init_resets_it(void **state)
{
	(void)state;
	store(v, APIC_LDR, 0x80000000);
	machine.apic[APIC_LDR / 16] = 0;
	vapic_reset(v);
	assert_int_equal(machine.apic_resets, 1);
	assert_int_equal(command(0x80, ICR_NMI | ICR_LOGICAL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(physical, new_machine),
		cmocka_unit_test_setup(shorthands, new_machine),
		cmocka_unit_test_setup(logical_flat, new_machine),
		cmocka_unit_test_setup(logical_cluster, new_machine),
		cmocka_unit_test_setup(logical_x2apic, new_machine),
		cmocka_unit_test_setup(init_and_start_up, new_machine),
		cmocka_unit_test_setup(requests_have_an_order, new_machine),
		cmocka_unit_test_setup(a_kick_is_one_nmi, new_machine),
		cmocka_unit_test_setup(smi_is_dropped, new_machine),
		cmocka_unit_test_setup(hardware_sends_the_rest, new_machine),
		cmocka_unit_test_setup(odd_writes_are_dropped, new_machine),
		cmocka_unit_test_setup(xapic_has_no_icr_msr, new_machine),
		cmocka_unit_test_setup(x2apic_has_no_page, new_machine),
		cmocka_unit_test_setup(the_page_stays, new_machine),
		cmocka_unit_test_setup(init_resets_it, new_machine),
	};

	return cmocka_run_group_tests(tests, trap_page, machine_free);
}
