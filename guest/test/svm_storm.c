/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is an event that VMRUN injects delivered, once, whatever comes in between
 * (AMD APM vol. 2, 15.7.2 and 15.20)? In TAP, on two CPUs. They are a small
 * hypervisor of KVM's manners: it enters its guests by the same row of
 * instructions, keeps clean bits, moves guests between CPUs, waits for a window
 * by a virtual interrupt and injects again what EXITINTINFO says was cut short.
 * A guest's handler ends each event by a VMMCALL. So an event in service when
 * the guest is elsewhere than in its handler is lost, and an end without one
 * has come twice. Meanwhile the CPUs interrupt each other, and take away pages
 * that the delivery needs.
 *
 * Words: rounds=N, VMRUNs of each CPU (default 20000); fault=1 or 2: an event
 * is forgotten, or injected twice, for the test of this test.
 */
#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"
#include "guest/lib/smp.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_storm.h"
#include "lib/cpu.h"

#define STAY	    32u /* VMRUNs of a guest in a row, at most */
#define RCX	    1
#define VECTOR_L2   0x60 /* the guests' only one */
#define IN_MAIN	    1	 /* RCX of VMMCALL */
#define IN_HANDLER  2
#define VMMCALL_LEN 3u
#define HLT_LEN	    1u
#define STACK(cpu)  (SVM_SCRATCH + 0x10000 + (cpu)*2ul * PAGE_SIZE)
#define FPU_TURNS   16u
#define ALL_CLEAN   0x3ffu
#define FAULT_ROUND 100u
#define VECTOR_KICK 0xc0 /* and the CPU's number */

enum fault { NO_FAULT, FORGET, TWICE };

int main(const char *cmdline);

struct vcpu vcpus[GUESTS];
u64 kicks_sent[CPUS];
volatile u64 kicks_taken[CPUS];

/* What VMLOAD brings back, of each CPU; of the second, VMRUN's. */
static struct vmcb own[CPUS] __attribute__((aligned(PAGE_SIZE)));
static u8 save_area[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static u64 rounds = 20000, fault;

/* L2 ***********************************************************************/

/* RBX counts how often the guest has been interrupted. */
static __attribute__((naked, aligned(16))) void l2_main(void)
{
	__asm__ volatile("1: sti\n\t"
			 "nop\n\t"
			 "mov $1, %ecx\n\t"
			 "vmmcall\n\t"
			 "mov $40, %edx\n\t"
			 "2: dec %edx\n\t"
			 "jnz 2b\n\t"
			 "cli\n\t"
			 "mov $1, %ecx\n\t"
			 "vmmcall\n\t"
			 "mov $40, %edx\n\t"
			 "3: dec %edx\n\t"
			 "jnz 3b\n\t"
			 "sti\n\t"
			 "hlt\n\t"
			 "jmp 1b");
}

static __attribute__((naked, aligned(16))) void l2_handler(void)
{
	__asm__ volatile("push %rcx\n\t"
			 "push %rdx\n\t"
			 "inc %rbx\n\t"
			 "mov $20, %edx\n\t"
			 "1: dec %edx\n\t"
			 "jnz 1b\n\t"
			 "mov $2, %ecx\n\t"
			 "vmmcall\n\t"
			 "pop %rdx\n\t"
			 "pop %rcx\n\t"
			 "iretq");
}

/* L1 ***********************************************************************/

/* Xorshift: never 0. */
static u32 next(u32 *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random;
}

static void dirty(struct vcpu *s, u32 groups)
{
	s->vmcb.control.clean &= ~groups;
}

/* KVM asks for the moment from which on an interrupt can be injected by a
 * virtual one of the highest priority. */
static void set_window(struct vcpu *s, bool on)
{
	struct vmcb_control *c = &s->vmcb.control;

	if (s->window == on)
		return;
	s->window = on;
	dirty(s, VMCB_CLEAN_INTR | VMCB_CLEAN_INTERCEPTS);
	if (on) {
		c->int_ctl |= VMCB_V_IRQ | VMCB_V_PRIO_MASK;
		vmcb_intercept(&s->vmcb, VMCB_EXIT_VINTR);
	} else {
		c->int_ctl &= ~(VMCB_V_IRQ | VMCB_V_PRIO_MASK);
		vmcb_pass(&s->vmcb, VMCB_EXIT_VINTR);
	}
}

static bool can_take(const struct vcpu *s)
{
	return s->vmcb.save.rflags & RFLAGS_IF &&
	       !(s->vmcb.control.int_state & VMCB_SHADOW);
}

static bool has_fault(const struct vcpu *s, enum fault kind)
{
	return fault == kind && s == vcpus && s->runs > FAULT_ROUND &&
	       !s->lost && !s->twice;
}

/* Before VMRUN. What was cut short goes first. */
static void inject(struct vcpu *s)
{
	struct vmcb_control *c = &s->vmcb.control;

	c->event_inj = 0;
	if (c->exit_int_info & VMCB_EVENT_VALID) {
		c->event_inj = c->exit_int_info;
		s->again++;
	} else if (s->in_service || !s->wants) {
		return;
	} else if (!can_take(s)) {
		set_window(s, true);
	} else {
		if (!has_fault(s, FORGET))
			c->event_inj =
				VMCB_EVENT_VALID | VMCB_EVENT_INTR | VECTOR_L2;
		s->wants = has_fault(s, TWICE);
		s->in_service = !has_fault(s, TWICE);
		s->injected++;
	}
}

/* Takes a page away that a delivery needs, and orders no flush of the other
 * CPU, which may use it on. */
static void take_page(struct vcpu *s, u32 r)
{
	u64 gpa = r % (GUESTS + 1) ? STACK(r % (GUESTS + 1) - 1) - PAGE_SIZE
				   : SVM_IDT;
	u64 bits = r & 0x800 ? PTE_PRESENT : PTE_ACCESSED | PTE_DIRTY;

	__atomic_and_fetch(svm_npte(gpa), ~bits, __ATOMIC_SEQ_CST);
	s->vmcb.control.tlb_control = VMCB_TLB_FLUSH_ASID;
}

static void on_kick(struct trap_frame *f)
{
	kicks_taken[f->vector - VECTOR_KICK]++;
	apic_eoi();
}

static void kick(unsigned cpu)
{
	if (kicks_sent[cpu] != kicks_taken[cpu])
		return;
	kicks_sent[cpu]++;
	apic_send(smp_apic_id(cpu),
		  ICR_ASSERT | ICR_FIXED | (VECTOR_KICK + cpu));
}

static void disturb(struct vcpu *s)
{
	u32 r = next(&s->random);

	s->vmcb.control.tlb_control =
		s->is_new ? VMCB_TLB_FLUSH_ASID : VMCB_TLB_KEEP;
	s->is_new = false;
	if (r % 8 == 0)
		take_page(s, r / 8);
	if ((r >> 16) % 16 == 0)
		kick(!s->cpu);
	if ((r >> 20) % 2 == 0)
		s->wants = true;
}

/* An OS does it at each switch of tasks. In QEMU as it is that may undo what
 * the first CPU does about SVM just then (tools/svm-repair, ignne). */
static void restore_fpu(void)
{
	static u8 state[512] __attribute__((aligned(16)));

	for (unsigned i = 0; i < FPU_TURNS; i++)
		__asm__ volatile("fxrstor %0" : : "m"(state));
}

static void enter(struct vcpu *s)
{
	s->vmcb.save.rax = 0;
	restore_fpu();
	svm_clgi();
	ahead_round(&s->round);
	svm_stgi();
	l1_open();
	s->vmcb.control.clean = ALL_CLEAN;
	s->runs++;
}

static void on_vmmcall(struct vcpu *s)
{
	u64 rcx = s->round.gpr[RCX];

	s->vmcb.save.rip += VMMCALL_LEN;
	s->vmcb.control.int_state = 0;
	if (rcx == IN_MAIN)
		s->lost += s->in_service;
	else if (rcx == IN_HANDLER)
		s->twice += !s->in_service;
	else
		s->strange++;
	s->in_service = false;
}

static void on_exit(struct vcpu *s)
{
	struct vmcb_control *c = &s->vmcb.control;
	bool cut_short = c->exit_int_info & VMCB_EVENT_VALID;

	switch (c->exit_code) {
	case VMCB_EXIT_VMMCALL:
		on_vmmcall(s);
		break;
	case VMCB_EXIT_HLT:
		s->vmcb.save.rip += HLT_LEN;
		c->int_state = 0;
		s->lost += s->in_service;
		s->in_service = false;
		s->wants = true;
		s->halts++;
		break;
	case VMCB_EXIT_NPF:
		__atomic_or_fetch(svm_npte(c->exit_info_2), PTE_PRESENT,
				  __ATOMIC_SEQ_CST);
		s->faults++;
		break;
	case VMCB_EXIT_VINTR:
		set_window(s, false);
		s->windows++;
		break;
	case VMCB_EXIT_INTR:
		s->kicked++;
		break;
	default:
		s->strange++;
	}
	s->strange += cut_short && !s->in_service;
	s->strange += !!(c->int_ctl & VMCB_V_TPR_MASK);
}

/* As KVM loads a virtual CPU: on another CPU nothing is clean, and its ASID is
 * a new one. */
static bool take(struct vcpu *s, unsigned cpu)
{
	if (__atomic_exchange_n(&s->is_taken, true, __ATOMIC_ACQUIRE))
		return false;
	if (s->cpu == cpu)
		return true;
	s->cpu = cpu;
	s->moves++;
	s->is_new = true;
	s->round.host = (u64)&own[cpu];
	dirty(s, ALL_CLEAN);
	return true;
}

static void play(unsigned cpu)
{
	u32 random = 2463534242u + cpu;

	for (u64 runs = 0; runs < rounds;) {
		struct vcpu *s = &vcpus[next(&random) % GUESTS];

		if (!take(s, cpu))
			continue;
		for (u32 n = next(&random) % STAY; n && !s->strange; n--) {
			disturb(s);
			inject(s);
			enter(s);
			on_exit(s);
		}
		runs += STAY / 2;
		__atomic_store_n(&s->is_taken, false, __ATOMIC_RELEASE);
	}
}

static void set_up(struct vcpu *s, unsigned n)
{
	*s = (struct vcpu){.vmcb = svm_vmcb, .random = 88172645u + n};
	s->vmcb.save.rip = (u64)l2_main;
	s->vmcb.save.rsp = STACK(n);
	s->vmcb.control.asid = n + 1;
	s->vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	vmcb_intercept(&s->vmcb, VMCB_EXIT_INTR);
	vmcb_intercept(&s->vmcb, VMCB_EXIT_HLT);
	s->load = own[0];
	s->info.vmcb = (u64)&s->vmcb;
	s->round.block = (u64)&s->load;
	s->round.info = &s->info;
	s->round.host = (u64)&own[0];
	s->round.self = &s->round;
	s->round.flags = RFLAGS_FIXED | RFLAGS_IF;
}

static void save_own(unsigned cpu)
{
	u64 pa = (u64)&own[cpu];

	__asm__ volatile("vmsave" : : "a"(pa) : "memory");
}

static void play_other(void *unused)
{
	(void)unused;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | EFER_NXE);
	wrmsr(MSR_VM_HSAVE_PA, (u64)save_area);
	save_own(1);
	play(1);
}

static int storm(void)
{
	svm_reset();
	svm_gate(VECTOR_L2, l2_handler);
	for (u8 i = 0; i < CPUS; i++)
		idt_handle((u8)(VECTOR_KICK + i), on_kick);
	save_own(0);
	for (unsigned i = 0; i < GUESTS; i++)
		set_up(&vcpus[i], i);
	smp_run(1, play_other, NULL);
	play(0);
	while (!smp_wait(1))
		pause();
	return storm_judge();
}

int main(const char *cmdline)
{
	idt_init();
	l1_init();
	if (!cmdline_number(cmdline, "rounds", &rounds) ||
	    !cmdline_number(cmdline, "fault", &fault)) {
		serial_printf("Bail out! rounds= or fault= is no number\n");
		return 1;
	}
	if (smp_init() < CPUS || !svm_init()) {
		serial_printf("1..0 # SKIP one CPU only, or no SVM\n");
		return 0;
	}
	return storm();
}
