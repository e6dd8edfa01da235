/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The global interrupt flag and physical interrupts while L2 runs (AMD APM
 * vol. 2, 15.13, 15.17 and 15.21.1): who gets an interrupt, when, and how
 * often. svm_gif_l2.c: HLT, NMIs, and L2's own GIF.
 */
#include "guest/test/svm_gif.h"

#include "guest/lib/apic.h"
#include "guest/lib/idt.h"
#include "guest/test/svm_l1.h"
#include "lib/cpu.h"

#define VECTOR_INT 0x41
#define SHORT	   200000u /* ticks */

int main(const char *cmdline);

SVM_CODE(taken, "mov $0x7a, %ebx")
SVM_CODE(do_nops, "nop; nop; nop")
SVM_CODE(do_spin, "mov $200000, %ecx; 1: inc %rdx; dec %ecx; jnz 1b")
SVM_CODE(do_sti_hlt, "sti; hlt; nop")

static u64 offset(const struct l2_row *r)
{
	return svm_vmcb.save.rip - (u64)r->code;
}

void gif_expect_no_delivery(void)
{
	l2_expect("EXITINTINFO.V",
		  svm_vmcb.control.exit_int_info & VMCB_EVENT_VALID, 0);
}

void gif_arm_timer(void)
{
	apic_timer_start(L1_VECTOR_TIMER);
	apic_timer_arm(SHORT);
}

void gif_spin(void)
{
	for (unsigned i = 0; i < SPINS; i++)
		__asm__ volatile("");
}

/* L1 alone ******************************************************************/

static void held(const struct l2_row *r)
{
	svm_clgi();
	__asm__ volatile("sti" : : : "memory");
	if (r->arg == L1_VECTOR_TIMER)
		gif_arm_timer();
	else if (r->arg == VECTOR_NMI)
		l1_send_nmi();
	else
		l1_send_interrupt();
	gif_spin();
	l2_expect("early", l1_interrupts + l1_nmis + l1_ticks, 0);
	svm_stgi();
	__asm__ volatile("nop" : : : "memory");
	l2_expect("at STGI", l1_interrupts + l1_nmis + l1_ticks, 1);
	cli();
	l1_settle();
}

static void held_by_if(const struct l2_row *r)
{
	(void)r;
	svm_clgi();
	l1_send_interrupt();
	svm_stgi();
	gif_spin();
	l2_expect("at STGI", l1_interrupts, 0);
	l1_open();
	l2_expect("at STI", l1_interrupts, 1);
	l1_settle();
}

static void nmis_merge(const struct l2_row *r)
{
	(void)r;
	svm_clgi();
	l1_send_nmi();
	l1_send_nmi();
	svm_stgi();
	gif_spin();
	l2_expect("NMIs", l1_nmis, 1);
	l1_settle();
}

/* A VMRUN that runs L2 and comes back, or refuses: no GIF until STGI. .arg is
 * left out of EFER. */
static void exit_clears(const struct l2_row *r)
{
	svm_vmcb.save.efer &= ~r->arg;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	l2_expect("exit", l1_run(r->code), r->want);
	l1_send_interrupt();
	l1_send_nmi();
	l1_open();
	l2_expect("early", l1_interrupts + l1_nmis, 0);
	svm_stgi();
	l1_open();
	l2_expect("interrupts", l1_interrupts, 1);
	l2_expect("NMIs", l1_nmis, 1);
	l1_settle();
}

/* VMRUN sets GIF for L2, whatever it was before. */
static void vmrun_sets(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	svm_clgi();
	l1_send_nmi();
	l2_expect("exit", l1_run(r->code), VMCB_EXIT_NMI);
	l2_expect("NMIs before STGI", l1_nmis, 0);
	svm_stgi();
	gif_spin();
	l2_expect("NMIs", l1_nmis, 1);
	l1_settle();
}

/* One that faults leaves GIF as it was. */
static void fault_keeps(const struct l2_row *r)
{
	(void)r;
	l2_expect("trap", (u32)svm_run_at((u64)&svm_vmcb + 8), VECTOR_GP);
	l1_send_interrupt();
	l1_open();
	l2_expect("with GIF", l1_interrupts, 1);
	svm_clgi();
	l2_expect("trap", (u32)svm_run_at((u64)&svm_vmcb + 8), VECTOR_GP);
	l1_send_interrupt();
	l1_open();
	l2_expect("without GIF", l1_interrupts, 1);
	l1_settle();
}

static const struct l2_row alone[] = {
	L2_ROW("gif-holds-interrupt", held, NULL, .arg = L1_VECTOR),
	L2_ROW("gif-holds-timer", held, NULL, .arg = L1_VECTOR_TIMER),
	L2_ROW("gif-holds-nmi", held, NULL, .arg = VECTOR_NMI),
	L2_ROW("gif-set-if-clear", held_by_if, NULL),
	L2_ROW("gif-nmis-merge", nmis_merge, NULL),
	L2_ROW("gif-cleared-by-exit", exit_clears, do_nops,
	       .want = VMCB_EXIT_VMMCALL),
	L2_ROW("gif-cleared-by-failure", exit_clears, do_nops, .arg = EFER_SVME,
	       .want = VMCB_EXIT_INVALID),
	L2_ROW("gif-set-by-vmrun", vmrun_sets, do_nops),
	L2_ROW("gif-kept-by-fault", fault_keeps, NULL),
};

const struct l2_table gif_alone = L2_TABLE(alone);

/* A physical interrupt in L2 ************************************************/

enum { MASKING = 1, INTERCEPT = 2, L1_IF = 4, L2_IF = 8 };

/* Pending at VMRUN: V_INTR_MASKING, INTR intercept, IF as .arg says. */
static u64 run_interrupted(const struct l2_row *r)
{
	if (r->arg & MASKING)
		svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	if (r->arg & INTERCEPT)
		vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	if (r->arg & L2_IF)
		svm_vmcb.save.rflags |= RFLAGS_IF;
	svm_gate(L1_VECTOR, taken);
	svm_clgi();
	l1_send_interrupt();
	return r->arg & L1_IF ? l1_run_open(r->code) : l1_run(r->code);
}

/* How many of it reach L1 at STGI. */
static void expect_at_l1(unsigned interrupts)
{
	l2_expect("before STGI", l1_interrupts, 0);
	svm_stgi();
	l1_open();
	l2_expect("interrupts of L1", l1_interrupts, interrupts);
	l1_settle();
}

static void interrupt_exits(const struct l2_row *r)
{
	l2_expect("exit", run_interrupted(r), VMCB_EXIT_INTR);
	l2_expect("offset", offset(r), 0);
	gif_expect_no_delivery();
	expect_at_l1(1);
}

static void interrupt_taken(const struct l2_row *r)
{
	l2_expect("exit", run_interrupted(r), VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("IF", svm_vmcb.save.rflags & RFLAGS_IF, 0);
	expect_at_l1(0);
}

static void interrupt_waits(const struct l2_row *r)
{
	l2_expect("exit", run_interrupted(r), VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, 0);
	expect_at_l1(1);
}

/* Not acknowledged, it exits again until L1 takes it. */
static void interrupt_exits_again(const struct l2_row *r)
{
	l2_expect("exit", run_interrupted(r), VMCB_EXIT_INTR);
	l2_expect("again", l1_run_open(r->code), VMCB_EXIT_INTR);
	expect_at_l1(1);
}

/* Injected comes first, then the exit. */
static void interrupt_after_injection(const struct l2_row *r)
{
	svm_gate(VECTOR_INT, taken);
	svm_vmcb.control.event_inj =
		VMCB_EVENT_VALID | VMCB_EVENT_INTR | VECTOR_INT;
	l2_expect("exit", run_interrupted(r), VMCB_EXIT_INTR);
	l2_expect("rip", svm_vmcb.save.rip, (u64)taken);
	gif_expect_no_delivery();
	expect_at_l1(1);
}

/* In the middle of a loop, which then goes on as if nothing was. */
static void interrupt_in_loop(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	gif_arm_timer();
	l2_expect("exit", l1_run_open(r->code), VMCB_EXIT_INTR);
	l2_expect("in the loop", svm_regs.rdx > 0 && svm_regs.rdx < SPINS,
		  true);
	svm_stgi();
	l1_open();
	l2_expect("ticks", l1_ticks, 1);
	svm_clgi();
	l2_expect("then", l1_run((svm_code *)svm_vmcb.save.rip),
		  VMCB_EXIT_VMMCALL);
	l2_expect("turns", svm_regs.rdx, SPINS);
	l1_settle();
}

/* POPF or STI by L2 does not matter with masking, and does without. */
static void interrupt_at_sti(const struct l2_row *r)
{
	l2_expect("exit", run_interrupted(r), r->want);
	l2_expect("handler", svm_regs.rbx, 0);
	expect_at_l1(1);
}

#define INTERRUPT(name, what, flags) \
	L2_ROW("intr-" name, interrupt_##what, do_nops, .arg = (flags))

static const struct l2_row interrupts[] = {
	INTERRUPT("free", waits, 0),
	INTERRUPT("free-l1if", waits, L1_IF),
	INTERRUPT("free-l2if", taken, L2_IF),
	INTERRUPT("free-l1if-l2if", taken, L1_IF | L2_IF),
	INTERRUPT("free-masking", waits, MASKING),
	INTERRUPT("free-masking-l1if", taken, MASKING | L1_IF),
	INTERRUPT("free-masking-l2if", waits, MASKING | L2_IF),
	INTERRUPT("free-masking-l1if-l2if", taken, MASKING | L1_IF | L2_IF),
	INTERRUPT("exit", waits, INTERCEPT),
	INTERRUPT("exit-l1if", waits, INTERCEPT | L1_IF),
	INTERRUPT("exit-l2if", exits, INTERCEPT | L2_IF),
	INTERRUPT("exit-l1if-l2if", exits, INTERCEPT | L1_IF | L2_IF),
	INTERRUPT("exit-masking", waits, INTERCEPT | MASKING),
	INTERRUPT("exit-masking-l1if", exits, INTERCEPT | MASKING | L1_IF),
	INTERRUPT("exit-masking-l2if", waits, INTERCEPT | MASKING | L2_IF),
	INTERRUPT("exit-masking-l1if-l2if", exits,
		  INTERCEPT | MASKING | L1_IF | L2_IF),
	INTERRUPT("exits-again", exits_again, INTERCEPT | MASKING | L1_IF),
	INTERRUPT("after-injection", after_injection,
		  INTERCEPT | MASKING | L1_IF),
	L2_ROW("intr-in-loop", interrupt_in_loop, do_spin),
	L2_ROW("intr-at-sti", interrupt_at_sti, do_sti_hlt, .arg = INTERCEPT,
	       .want = VMCB_EXIT_INTR),
};

const struct l2_table gif_interrupts = L2_TABLE(interrupts);

int main(const char *cmdline)
{
	const struct l2_table tables[] = {gif_alone, gif_interrupts, gif_halts,
					  gif_nmis, gif_virtual};

	idt_init();
	l1_init();
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
