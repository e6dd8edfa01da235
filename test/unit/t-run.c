/* SPDX-License-Identifier: Apache-2.0 */
/* hv/run, the dispatcher, with hv/policy, insn and hypercall behind it. */
#include "hv/run.h"

#include "hv/mmio.h"
#include "hv/policy.h"
#include "hv/ports.h"
#include "hv/smp.h"
#include "lib/hypercall.h"
#include "test/unit/fake_vmm.h"

#define HOLE  0x80000000ull
#define PORT  0x510u
#define READ  0 /* info1 of an MSR exit */
#define WRITE 1

static struct vcpu *v;

static int new_machine(void **state)
{
	(void)state;
	fake_new(2, X86_64);
	v = &cpus[0]->vcpu;
	policy_init(vmm);
	return 0;
}

static int add_ranges(void **state)
{
	new_machine(state);
	mmio_add(&(struct mmio_range){"hole", HOLE, HOLE + PAGE_SIZE,
				      mmio_read_ones, mmio_write_nothing});
	ports_add(&(struct port_range){"port", PORT, PORT, port_in, port_out});
	return 0;
}

/* The instruction that exits, without the help of the CPU. */
static void insn(u32 bytes, size_t n)
{
	v->regs.rip = FAKE_RIP;
	fake_insn(v, &bytes, n);
}

/* CPUID ********************************************************************/

static struct cpuid guest_cpuid(u32 leaf)
{
	u64 *gpr = v->regs.gpr;

	insn(0xa20f, 2);
	gpr[RAX] = 0xffffffff00000000 | leaf;
	gpr[RCX] = 3;
	expect_next((struct exit){.slot = EXIT_cpuid}, 2);
	assert_int_equal((gpr[RAX] | gpr[RBX] | gpr[RCX] | gpr[RDX]) >> 32, 0);
	return (struct cpuid){(u32)gpr[RAX], (u32)gpr[RBX], (u32)gpr[RCX],
			      (u32)gpr[RDX]};
}

static void cpuid_is_the_cpus(void **state)
{
	struct cpuid r = guest_cpuid(4);

	(void)state;
	assert_int_equal(r.eax, 4);
	assert_int_equal(r.ebx, 3);
	assert_int_equal(r.ecx, ~0u);
	assert_int_equal(r.edx, ~0u);
	assert_int_equal(guest_cpuid(1).ecx, 0); /* the backend's fix */
}

/* Two levels of tables are shadowed, each of 4; no shadow stacks, no INVLPGB,
 * no SKINIT. */
static void cpuid_hides_what_has_no_nesting(void **state)
{
	(void)state;
	assert_int_equal(guest_cpuid(7).ecx, ~0x10080u);
	assert_int_equal(guest_cpuid(7).edx, ~0x100000u);
	assert_int_equal(guest_cpuid(6).ecx, ~0u);
	assert_int_equal(guest_cpuid(0x80000008).ebx & 8, 0);
	assert_int_equal(guest_cpuid(0x80000001).ecx, ~0x1000u);
	fake.no_svm = true;
	assert_int_equal(guest_cpuid(7).ecx, ~0u);
}

/* Bits 15:8 of EAX; the fake CPU has its leaf in there. */
static void cpuid_hides_57_bits(void **state)
{
	(void)state;
	machine.cpuid_eax = 0x3928;
	assert_int_equal(guest_cpuid(0x80000008).eax, 0x80003028);
	assert_int_equal(guest_cpuid(0x80000007).eax, 0x8000392f);
	machine.cpuid_eax = 0x2024;
	assert_int_equal(guest_cpuid(0x80000008).eax, 0x8000202c);
	machine.cpuid_eax = 0x3928;
	fake.no_svm = true;
	assert_int_equal(guest_cpuid(0x80000008).eax, 0x80003928);
}

static void cpuid_hides_svm_and_signs(void **state)
{
	fake.no_svm = true;
	struct cpuid r = guest_cpuid(0x8000000a);

	(void)state;
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	assert_int_equal(guest_cpuid(0x80000001).ecx, ~0x1004u);
	r = guest_cpuid(LEAF_NESTBOX);
	assert_int_equal(r.eax, LEAF_NESTBOX);
	assert_int_equal(r.ebx, SIGN_EBX);
	assert_int_equal(r.ecx, SIGN_ECX);
	assert_int_equal(r.edx, SIGN_EDX);
}

/* MSRs *********************************************************************/

static u64 guest_rdmsr(u32 msr)
{
	insn(0x320f, 2);
	v->regs.gpr[RAX] = v->regs.gpr[RDX] = ~0ull;
	v->regs.gpr[RCX] = msr;
	expect_next((struct exit){.slot = EXIT_msr, .info1 = READ}, 2);
	assert_int_equal(v->regs.gpr[RAX] >> 32 | v->regs.gpr[RDX] >> 32, 0);
	return v->regs.gpr[RDX] << 32 | v->regs.gpr[RAX];
}

static void write_regs(u32 msr, u64 value)
{
	insn(0x300f, 2);
	v->regs.gpr[RCX] = 0x100000000 | msr;
	v->regs.gpr[RAX] = ~0ull << 32 | (u32)value;
	v->regs.gpr[RDX] = ~0ull << 32 | value >> 32;
}

static void guest_wrmsr(u32 msr, u64 value)
{
	write_regs(msr, value);
	expect_next((struct exit){.slot = EXIT_msr, .info1 = WRITE}, 2);
}

static void wrmsr_is_gp(u32 msr, u64 value)
{
	write_regs(msr, value);
	expect_fault((struct exit){.slot = EXIT_msr, .info1 = WRITE},
		     VECTOR_GP);
}

static void rdmsr_is_gp(u32 msr)
{
	insn(0x320f, 2);
	v->regs.gpr[RAX] = v->regs.gpr[RDX] = 0x55;
	v->regs.gpr[RCX] = msr;
	expect_fault((struct exit){.slot = EXIT_msr, .info1 = READ}, VECTOR_GP);
	assert_int_equal(v->regs.gpr[RAX], 0x55);
	assert_int_equal(v->regs.gpr[RDX], 0x55);
}

static void svme_stays_on(void **state)
{
	(void)state;
	guest_wrmsr(MSR_EFER, EFER_LME | EFER_SVME);
	assert_true(v->svme);
	assert_int_equal(fake.efer, EFER_LME);
	assert_int_equal(guest_rdmsr(MSR_EFER), EFER_LME | EFER_SVME);
	fake.efer_illegal = true;
	wrmsr_is_gp(MSR_EFER, 0);
	assert_true(v->svme);
	fake.efer_illegal = false;
	guest_wrmsr(MSR_EFER, EFER_SCE);
	assert_false(v->svme);
	assert_int_equal(guest_rdmsr(MSR_EFER), EFER_SCE);
}

static void svme_needs_nesting(void **state)
{
	(void)state;
	fake.no_svm = true;
	wrmsr_is_gp(MSR_EFER, EFER_SVME);
	assert_false(v->svme);
}

static void msrs_without_a_row_are_gp(void **state)
{
	(void)state;
	rdmsr_is_gp(0x12345678);
	wrmsr_is_gp(0x12345678, 0);
}

static void apic_msrs(void **state)
{
	const u32 icr = MSR_X2APIC + APIC_ICR / 16;
	const u32 timer = MSR_X2APIC + APIC_TMCCT / 16;
	u64 base = machine.apic_base;

	(void)state;
	machine.timer = 77;
	wrmsr_is_gp(icr, 0);
	rdmsr_is_gp(icr);
	rdmsr_is_gp(timer);
	wrmsr_is_gp(MSR_APIC_BASE, base + PAGE_SIZE);
	guest_wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	assert_int_equal(machine.apic_base, base | APIC_BASE_X2APIC);
	guest_wrmsr(icr, 1ull << 32 | ICR_INIT);
	assert_int_equal(cpus[1]->requests, REQUEST_INIT);
	assert_int_equal(guest_rdmsr(icr), 1ull << 32 | ICR_INIT);
	assert_int_equal(guest_rdmsr(timer), 77);
	wrmsr_is_gp(timer, 0);
}

static void what_has_a_row_exits(void **state)
{
	static const u32 msrs[] = {MSR_EFER, MSR_VM_CR, MSR_VM_HSAVE_PA,
				   MSR_APIC_BASE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		unsigned at = 0;

		while (at < fake.n_msrs && fake.msrs[at].msr != msrs[i])
			at++;
		assert_true(at < fake.n_msrs);
		assert_true(fake.msrs[at].writes);
		assert_int_equal(fake.msrs[at].reads, msrs[i] != MSR_APIC_BASE);
	}
}

/* Hypercalls, ports, memory ************************************************/

static u64 call(u64 number)
{
	insn(0xd9010f, 3);
	v->regs.gpr[RAX] = number;
	expect_next((struct exit){.slot = EXIT_vmcall}, 3);
	return v->regs.gpr[RAX];
}

static void hypercalls(void **state)
{
	u64 *gpr = v->regs.gpr;

	(void)state;
	assert_int_equal(call(0), HYPERCALL_UNKNOWN);
	assert_int_equal(call(HYPERCALL_END), HYPERCALL_UNKNOWN);
	assert_int_equal(call(HYPERCALL_BASE - 1), HYPERCALL_UNKNOWN);
	assert_int_equal(call(HYPERCALL_FEATURES),
			 HYPERCALL_HAS_SEAL | HYPERCALL_HAS_ACCOUNT |
				 HYPERCALL_HAS_TABLE | HYPERCALL_HAS_NESTED);
	assert_int_equal(gpr[RBX], 2);
	assert_int_equal(call(HYPERCALL_COUNT), HYPERCALL_DENIED);
	gpr[RBX] = FAKE_TOKEN_0;
	gpr[RCX] = FAKE_TOKEN_1;
	gpr[RDX] = 2;
	assert_int_equal(call(HYPERCALL_SWITCHES), HYPERCALL_RANGE);
	assert_int_equal(gpr[RBX], FAKE_TOKEN_0);
	gpr[RDX] = 0;
	gpr[RSI] = 1;
	gpr[RDI] = EXIT_vmcall;
	gpr[R8] = BY_L0;
	assert_int_equal(call(HYPERCALL_COUNT), 0);
	assert_int_equal(gpr[RBX], 7); /* with this one */
}

static void hypercalls_of_nesting(void **state)
{
	const u8 reg[] = {RBX, RCX, RDX, RSI, RDI, R8};
	u64 *gpr = v->regs.gpr;

	(void)state;
	fake.counts = (struct nested_counts){5, 3, 2, .level = 1};
	fake.tables =
		(struct nested_tables){1, 2, 3, 4, .pages = 6, .free_pages = 5};
	gpr[RBX] = FAKE_TOKEN_0;
	gpr[RCX] = FAKE_TOKEN_1;
	gpr[RDX] = 2;
	assert_int_equal(call(HYPERCALL_NESTED), HYPERCALL_RANGE);
	gpr[RDX] = 0;
	assert_int_equal(call(HYPERCALL_NESTED), 0);
	assert_int_equal(gpr[RBX], 5);
	assert_int_equal(gpr[RCX], 3);
	assert_int_equal(gpr[RDX], 2);
	assert_int_equal(gpr[RSI], 1);
	gpr[RBX] = FAKE_TOKEN_0;
	gpr[RCX] = FAKE_TOKEN_1;
	assert_int_equal(call(HYPERCALL_SHADOW), 0);
	for (u64 i = 0; i < ARRAY_SIZE(reg); i++)
		assert_int_equal(gpr[reg[i]], i + 1);
}

/* An I/O exit tells the next RIP, whatever the instruction is. */
static void ports_are_looked_up(void **state)
{
	struct exit exit = {.slot = EXIT_io,
			    .info1 = PORT << 16 | 1 << 4 | 1,
			    .info2 = FAKE_RIP + 5};

	(void)state;
	v->regs.rip = FAKE_RIP;
	machine.port_value = 0x42;
	expect_next(exit, 5);
	assert_int_equal(machine.port, PORT);
	assert_int_equal(v->regs.gpr[RAX], 0x42);
	v->regs.rip = FAKE_RIP;
	exit.info1 |= 4; /* a string */
	expect_fault(exit, VECTOR_GP);
}

static void a_hole_has_no_memory(void **state)
{
	struct exit npf = {.slot = EXIT_npf, .info1 = 0, .info2 = HOLE + 8};

	(void)state;
	v->regs.gpr[RBX] = HOLE + 8;
	insn(0x038b, 2); /* MOV EAX, [RBX] */
	expect_next(npf, 2);
	assert_int_equal(v->regs.gpr[RAX], 0xffffffff);
	npf.info1 = NPF_WRITE;
	insn(0x0389, 2); /* MOV [RBX], EAX */
	expect_next(npf, 2);
	insn(0x0b0f, 2); /* UD2: not what mmio.c knows */
	expect_fault(npf, VECTOR_GP);
	npf.info2 = HOLE - 8;
	insn(0x038b, 2);
	expect_fault(npf, VECTOR_GP);
}

/* A repeated string stays where it is for its next turn. */
static void strings_into_a_hole_go_on(void **state)
{
	struct exit npf = {.slot = EXIT_npf, .info1 = NPF_WRITE, .info2 = HOLE};

	(void)state;
	insn(0xaaf3, 2); /* REP STOSB */
	v->regs.gpr[RDI] = HOLE;
	v->regs.gpr[RCX] = 3;
	expect_next(npf, 0);
	assert_int_equal(v->regs.gpr[RCX], 2);
	assert_int_equal(v->regs.gpr[RDI], HOLE + 1);
}

static void next_rips(void **state)
{
	(void)state;
	fake.next_rip = FAKE_RIP + 4; /* a CPU that tells */
	insn(0, 4);
	expect_next((struct exit){.slot = EXIT_cpuid}, 4);
	fake.next_rip = 0;
	insn(0xa20f0f66, 4); /* not CPUID, and nothing known */
	v->regs.gpr[RAX] = 0;
	expect_fault((struct exit){.slot = EXIT_cpuid}, VECTOR_UD);
	insn(0xa20f66, 3); /* with a prefix */
	expect_next((struct exit){.slot = EXIT_cpuid}, 3);
}

/* Level 2 ******************************************************************/

static void msrs_in_level_2_are_its_own(void **state)
{
	(void)state;
	v->level = 2;
	assert_int_equal(guest_rdmsr(MSR_TSC), FAKE_L2_TSC);
	v->regs.rip = FAKE_RIP;
	guest_wrmsr(MSR_PAT, 0x0102030405060700);
	assert_int_equal(fake.l2_pat, 0x0102030405060700);
	v->regs.rip = FAKE_RIP;
	assert_int_equal(guest_rdmsr(MSR_PAT), 0x0102030405060700);
	v->regs.rip = FAKE_RIP;
	v->level = 1;
	rdmsr_is_gp(MSR_TSC);
	wrmsr_is_gp(MSR_PAT, 0);
}

/* L1 is asked of a fault that L0 finds in its guest, and has it or not. */
static void faults_in_level_2_are_l1s_first(void **state)
{
	const struct exit skinit = {.slot = EXIT_skinit};

	(void)state;
	v->level = 2;
	expect_fault(skinit, VECTOR_UD);
	assert_int_equal(fake.taken, VECTOR_UD);
	fake.l1_takes = true;
	FAKE_RUN({.exit = skinit});
	assert_nothing_delivered();
	assert_false(fake.injecting);
	v->level = 1;
	expect_fault(skinit, VECTOR_UD);
}

static void event_into_a_hole(struct vcpu *who)
{
	(void)who;
	fake.injecting = true;
}

static void an_undeliverable_event_is_l1s_first(void **state)
{
	const struct step steps[] = {
		{.exit = {.slot = EXIT_npf, .info2 = HOLE},
		 .before = event_into_a_hole},
	};

	(void)state;
	v->level = 2;
	assert_int_equal(fake_run(steps, 1), END_RESET);
	assert_int_equal(fake.taken, EXIT_shutdown);
	new_machine(NULL);
	v->level = 2;
	fake.l1_takes = true;
	assert_int_equal(fake_run(steps, 1), END_SCRIPT);
}

/* NMIs *********************************************************************/

static void kick(struct vcpu *who)
{
	who->cpu->kicked = true;
}

static void tick(struct vcpu *who)
{
	(void)who;
	machine.ticked = true;
}

static void l0s_nmis_are_not_the_guests(void **state)
{
	(void)state;
	FAKE_RUN(AFTER(kick, EXIT_nmi), AFTER(tick, EXIT_nmi));
	assert_nothing_delivered();
	assert_false(v->cpu->nmi_taken);
	assert_false(fake.watches_iret);
	FAKE_RUN(STEP(EXIT_nmi));
	assert_delivered(EVENT_NMI, VECTOR_NMI);
}

/* The timer is the boot CPU's. */
static void other_cpus_have_no_tick(void **state)
{
	(void)state;
	machine.self = cpus[1];
	FAKE_RUN(AFTER(tick, EXIT_nmi));
	assert_delivered(EVENT_NMI, VECTOR_NMI);
}

static void nmis_wait_for_the_iret(void **state)
{
	(void)state;
	exit_of(EXIT_nmi);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
	assert_true(fake.watches_iret);
	FAKE_RUN(STEP(EXIT_nmi), STEP(EXIT_nmi));
	assert_nothing_delivered();
	/* At the IRET: the guest steps over it first. */
	exit_of(EXIT_iret);
	assert_nothing_delivered();
	assert_true(fake.steps);
	FAKE_RUN(STEP(EXIT_nmi));
	assert_nothing_delivered();
	v->regs.rip += 2;
	exit_of(EXIT_exception);
	assert_false(fake.steps);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
	assert_true(fake.watches_iret);
	/* Nothing waits now: no step. */
	v->regs.rip -= 2;
	exit_of(EXIT_iret);
	assert_nothing_delivered();
	assert_false(fake.watches_iret);
	assert_false(fake.steps);
}

/* One that comes just before the IRET executes waits for it, too. */
static void nmis_wait_at_the_iret(void **state)
{
	(void)state;
	exit_of(EXIT_nmi);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
	exit_of(EXIT_iret);
	exit_of(EXIT_nmi);
	assert_nothing_delivered();
	assert_true(fake.steps);
	v->regs.rip += 2;
	exit_of(EXIT_exception);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
}

/* L1, which wants those of its guest, has it no sooner. */
static void l1_has_nmis_behind_the_iret(void **state)
{
	(void)state;
	v->level = 2;
	exit_of(EXIT_nmi);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
	fake.takes = true;
	FAKE_RUN(STEP(EXIT_nmi), STEP(EXIT_iret));
	assert_int_equal(fake.n_taken, 0);
	assert_true(fake.steps);
	v->regs.rip += 2;
	exit_of(EXIT_exception);
	assert_nothing_delivered();
	assert_false(fake.steps);
	assert_int_equal(fake.n_taken, 1);
	assert_true(v->nmi_pending);
	assert_true(fake.watches_gif);
}

/* A kick carries the NMI that another CPU of L1 has sent. */
static void ask_nmi(struct vcpu *who)
{
	machine.self = cpus[1];
	smp_request(who->cpu, REQUEST_NMI, 0);
	machine.self = who->cpu;
}

static void requested_nmis_arrive_once(void **state)
{
	(void)state;
	FAKE_RUN(AFTER(ask_nmi, EXIT_nmi));
	assert_int_equal(machine.n_sent, 1);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
	exit_of(EXIT_iret);
	assert_nothing_delivered();
}

/* A fault first: the CPU takes one event at a time. */
static void nmis_wait_for_an_exception(void **state)
{
	(void)state;
	insn(0x320f, 2);
	v->regs.gpr[RCX] = 0x12345678;
	FAKE_RUN(AFTER(ask_nmi, EXIT_msr), AFTER(kick, EXIT_nmi));
	assert_int_equal(fake.n_delivered, 2);
	assert_int_equal(fake.delivered[0].type, EVENT_EXCEPTION);
	assert_int_equal(fake.delivered[1].type, EVENT_NMI);
}

/* L1 is told of it by an exit of its guest, and has it at its own STGI. */
static void nmis_in_level_2_are_l1s_first(void **state)
{
	(void)state;
	v->level = 2;
	fake.l1_takes = true;
	exit_of(EXIT_nmi);
	assert_int_equal(fake.taken, EXIT_nmi);
	assert_nothing_delivered();
	assert_true(fake.watches_gif);
	v->svme = true;
	insn(0xdc010f, 3);
	exit_of(EXIT_stgi);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
}

/* GIF **********************************************************************/

#define STGI 0xdc010f
#define CLGI 0xdd010f

static void set_gif(bool on)
{
	insn(on ? STGI : CLGI, 3);
	exit_of(on ? EXIT_stgi : EXIT_clgi);
	assert_int_equal(v->regs.rip, FAKE_RIP + 3);
	assert_int_equal(v->gif == GIF_ON, on);
}

static void gif_holds_interrupts_and_nmis(void **state)
{
	(void)state;
	v->svme = true;
	set_gif(false);
	set_gif(false); /* once more changes nothing */
	exit_of(EXIT_nmi);
	assert_nothing_delivered();
	assert_true(fake.watches_gif);
	set_gif(true);
	assert_delivered(EVENT_NMI, VECTOR_NMI);
	set_gif(true);
}

static void ask_init(struct vcpu *who)
{
	machine.self = cpus[1];
	smp_request(who->cpu, REQUEST_INIT, 0);
	machine.self = who->cpu;
}

static void gif_holds_init(void **state)
{
	(void)state;
	v->svme = true;
	set_gif(false);
	FAKE_RUN(AFTER(ask_init, EXIT_nmi));
	assert_int_equal(fake.resets, 0);
	insn(STGI, 3);
	exit_of(EXIT_stgi);
	assert_int_equal(fake.resets, 1);
	assert_false(v->svme);
}

static void svm_instructions_are_ud(void **state)
{
	static const enum exit_slot slots[] = {EXIT_vmrun, EXIT_vmload,
					       EXIT_vmsave, EXIT_invlpga,
					       EXIT_skinit};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		insn(0, 1);
		expect_fault((struct exit){.slot = slots[i]}, VECTOR_UD);
	}
}

/* INIT and start-up ********************************************************/

static void the_boot_cpu_restarts(void **state)
{
	(void)state;
	FAKE_RUN(AFTER(ask_init, EXIT_nmi));
	assert_int_equal(fake.resets, 1);
	assert_int_equal(fake.start.mode, START_REAL);
	assert_int_equal(fake.start.cs, 0xf000);
	assert_int_equal(fake.start.cs_base, 0xffff0000);
	assert_int_equal(fake.start.rip, 0xfff0);
	assert_int_equal(machine.apic_resets, 1);
	assert_false(v->waits);
}

static void ask_start(struct vcpu *who)
{
	(void)who;
	machine.self = cpus[0];
	smp_request(cpus[1], REQUEST_START, 0x9a);
	machine.self = cpus[1];
}

/* Only the first start-up counts; until it no guest runs. */
static void another_cpu_waits_for_its_start(void **state)
{
	struct vcpu *other = &cpus[1]->vcpu;

	(void)state;
	machine.self = cpus[1];
	other->waits = true;
	FAKE_RUN(IN_WAIT(kick), IN_WAIT(ask_start), AFTER(ask_start, EXIT_nmi));
	assert_int_equal(fake.resets, 1);
	assert_int_equal(fake.start.mode, START_REAL);
	assert_int_equal(fake.start.cs, 0x9a00);
	assert_int_equal(fake.start.cs_base, 0);
	assert_int_equal(fake.start.rip, 0);
	assert_false(other->waits);
	assert_nothing_delivered();
	assert_int_equal(cpus[1]->account.past, 1);
}

static void ask_init_of_1(struct vcpu *who)
{
	(void)who;
	machine.self = cpus[0];
	smp_request(cpus[1], REQUEST_INIT, 0);
	machine.self = cpus[1];
}

static void init_makes_another_cpu_wait(void **state)
{
	struct vcpu *other = &cpus[1]->vcpu;

	(void)state;
	machine.self = cpus[1];
	FAKE_RUN(AFTER(ask_init_of_1, EXIT_nmi));
	assert_true(other->waits);
	assert_int_equal(fake.resets, 1);
	FAKE_RUN(IN_WAIT(ask_start));
	assert_false(other->waits);
	assert_int_equal(fake.start.cs, 0x9a00);
}

/* The end ******************************************************************/

static void a_triple_fault_resets(void **state)
{
	(void)state;
	assert_int_equal(FAKE_RUN(STEP(EXIT_shutdown)), END_RESET);
	assert_non_null(strstr(machine.said, "a triple fault"));
	assert_int_equal(machine.power_reports, 1);
	assert_int_equal(FAKE_RUN(STEP(EXIT_invalid)), END_RESET);
	assert_non_null(strstr(machine.said, exit_name(EXIT_invalid)));
}

/* The stack or a table that the delivery wants is not there. */
static void an_undeliverable_event_resets(void **state)
{
	(void)state;
	inject_fault(v, VECTOR_GP, true);
	assert_int_equal(FAKE_RUN({.exit = {.slot = EXIT_npf, .info2 = HOLE},
				   .undelivered = true}),
			 END_RESET);
}

static void an_unknown_exit_panics(void **state)
{
	(void)state;
	assert_int_equal(
		FAKE_RUN({.exit = {.slot = EXIT_unknown, .code = 0x3ff}}),
		END_PANIC);
	assert_non_null(strstr(machine.said, "3ff"));
	assert_int_equal(FAKE_RUN(STEP(EXIT_hlt)), END_PANIC);
}

static void stop(struct vcpu *who)
{
	who->cpu->stops = true;
}

static void another_cpus_panic_stops(void **state)
{
	(void)state;
	assert_int_equal(FAKE_RUN(AFTER(stop, EXIT_nmi)), END_STOP);
}

static void exits_are_counted_once(void **state)
{
	const struct account *a = &v->cpu->account;

	(void)state;
	guest_cpuid(0);
	rdmsr_is_gp(0);
	call(HYPERCALL_VERSION);
	assert_int_equal(account_sum(a, 1, BY_L0), 3);
	assert_int_equal(a->count[0][EXIT_msr][BY_L0], 1);
	assert_int_equal(account_past(a, 0)->exit.slot, EXIT_vmcall);
	assert_int_equal(account_past(a, 0)->rip, FAKE_RIP);
	assert_int_equal(a->past, 3);
}

#define TEST(name) cmocka_unit_test_setup(name, new_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cpuid_is_the_cpus),
		TEST(cpuid_hides_what_has_no_nesting),
		TEST(cpuid_hides_57_bits),
		TEST(cpuid_hides_svm_and_signs),
		TEST(svme_stays_on),
		TEST(svme_needs_nesting),
		TEST(msrs_without_a_row_are_gp),
		TEST(apic_msrs),
		TEST(what_has_a_row_exits),
		TEST(hypercalls),
		TEST(hypercalls_of_nesting),
		TEST(ports_are_looked_up),
		TEST(a_hole_has_no_memory),
		TEST(strings_into_a_hole_go_on),
		TEST(next_rips),
		TEST(msrs_in_level_2_are_its_own),
		TEST(faults_in_level_2_are_l1s_first),
		TEST(an_undeliverable_event_is_l1s_first),
		TEST(l0s_nmis_are_not_the_guests),
		TEST(other_cpus_have_no_tick),
		TEST(nmis_wait_for_the_iret),
		TEST(nmis_wait_at_the_iret),
		TEST(l1_has_nmis_behind_the_iret),
		TEST(requested_nmis_arrive_once),
		TEST(nmis_wait_for_an_exception),
		TEST(nmis_in_level_2_are_l1s_first),
		TEST(gif_holds_interrupts_and_nmis),
		TEST(gif_holds_init),
		TEST(svm_instructions_are_ud),
		TEST(the_boot_cpu_restarts),
		TEST(another_cpu_waits_for_its_start),
		TEST(init_makes_another_cpu_wait),
		TEST(a_triple_fault_resets),
		TEST(an_undeliverable_event_resets),
		TEST(an_unknown_exit_panics),
		TEST(another_cpus_panic_stops),
		TEST(exits_are_counted_once),
	};

	return cmocka_run_group_tests(tests, add_ranges, machine_free);
}
