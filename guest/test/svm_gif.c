/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The global interrupt flag and physical interrupts while L2 runs (AMD APM
 * vol. 2, 15.13, 15.17, 15.21.1, 15.21.9 and 15.33): who gets an interrupt or
 * an NMI, when, and how often; HLT; virtual GIF.
 */
#include "guest/lib/apic.h"
#include "guest/lib/idt.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"

#define VECTOR_INT  0x41
#define TAKEN	    0x7a
#define SPINS	    200000u /* of do_spin */
#define SHORT	    200000u /* ticks, less than do_spin takes */
#define VIRTUAL	    (VMCB_V_IRQ | 15u << VMCB_V_PRIO_SHIFT)
#define VMMCALL_LEN 3

int main(const char *cmdline);

SVM_CODE(taken, "mov $0x7a, %ebx")
SVM_CODE(do_nops, "nop; nop; nop")
SVM_CODE(do_spin, "mov $200000, %ecx; 1: inc %rdx; dec %ecx; jnz 1b")
SVM_CODE(do_hlt, "hlt; nop")
SVM_CODE(do_sti_hlt, "sti; hlt; nop")
SVM_CODE(do_clgi, "clgi")
SVM_CODE(do_stgi, "stgi; nop; nop")
SVM_CODE(do_clgi_spin, "clgi; mov $200000, %ecx; 1: inc %rdx; dec %ecx; jnz 1b")
SVM_CODE(do_clgi_spin_stgi,
	 "clgi; mov $200000, %ecx; 1: inc %rdx; dec %ecx; jnz 1b; stgi;"
	 "mov $0x7a, %ebx; nop")
/* An NMI's handler that L1 looks into before its IRET. */
SVM_CODE(nmi_handler, "vmmcall; mov $0x7a, %ebx; iretq")

static u64 offset(const struct l2_row *r)
{
	return svm_vmcb.save.rip - (u64)r->code;
}

static void expect_no_delivery(void)
{
	l2_expect("EXITINTINFO.V",
		  svm_vmcb.control.exit_int_info & VMCB_EVENT_VALID, 0);
}

static void arm_timer(void)
{
	apic_timer_start(L1_VECTOR_TIMER);
	apic_timer_arm(SHORT);
}

/* Longer than the timer takes. */
static void spin(void)
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
		arm_timer();
	else if (r->arg == VECTOR_NMI)
		l1_send_nmi();
	else
		l1_send_interrupt();
	spin();
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
	spin();
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
	spin();
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
	spin();
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
	expect_no_delivery();
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
	expect_no_delivery();
	expect_at_l1(1);
}

/* In the middle of a loop, which then goes on as if nothing was. */
static void interrupt_in_loop(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	arm_timer();
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
	L2_ROW("intr-" name, interrupt_##what, do_nops, .arg = flags)

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

/* HLT ***********************************************************************/

static void hlt_intercepted(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_HLT);
	l2_expect_exit(r->code, VMCB_EXIT_HLT);
	l2_expect("offset", offset(r), 0);
}

/* The timer ends it, for L1. HLT is done then. */
static void hlt_exits(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	arm_timer();
	l2_expect("exit", l1_run_open(r->code), VMCB_EXIT_INTR);
	l2_expect("offset", offset(r), r->want);
	svm_stgi();
	l1_open();
	l2_expect("ticks", l1_ticks, 1);
	l1_settle();
}

/* The timer ends it, by L2's own handler. */
static void hlt_taken(const struct l2_row *r)
{
	svm_gate(L1_VECTOR_TIMER, taken);
	arm_timer();
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
	l1_settle();
}

/* A virtual interrupt that STI's shadow lets HLT begin with. */
static void hlt_virtual(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = VIRTUAL | VMCB_V_INTR_MASKING;
	svm_vmcb.control.int_vector = VECTOR_INT;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_gate(VECTOR_INT, taken);
	arm_timer(); /* ends what goes wrong */
	l2_expect("exit", l1_run_open(r->code), VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
	l1_settle();
}

static const struct l2_row halts[] = {
	L2_ROW("hlt-intercepted", hlt_intercepted, do_hlt),
	L2_ROW("hlt-exits", hlt_exits, do_hlt, .want = 1),
	L2_ROW("hlt-exits-l2if", hlt_exits, do_sti_hlt, .want = 2),
	L2_ROW("hlt-taken", hlt_taken, do_sti_hlt, .want = 2),
	L2_ROW("hlt-virtual", hlt_virtual, do_sti_hlt, .want = 2),
};

/* NMI ***********************************************************************/

static u64 run_with_nmi(const struct l2_row *r)
{
	svm_gate(VECTOR_NMI, taken);
	svm_vmcb.save.rflags |= r->set;
	svm_clgi();
	l1_send_nmi();
	return l1_run(r->code);
}

static void nmi_exits(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	l2_expect("exit", run_with_nmi(r), VMCB_EXIT_NMI);
	l2_expect("offset", offset(r), 0);
	expect_no_delivery();
	l2_expect("again", l1_run(r->code), VMCB_EXIT_NMI);
	l2_expect("early", l1_nmis, 0);
	svm_stgi();
	spin();
	l2_expect("NMIs", l1_nmis, 1);
	l2_expect("then", l2_run(r->code), VMCB_EXIT_VMMCALL);
	l1_settle();
}

static void nmi_taken(const struct l2_row *r)
{
	l2_expect("exit", run_with_nmi(r), VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp, (u64)r->code);
	svm_stgi();
	spin();
	l2_expect("NMIs of L1", l1_nmis, 0);
	l1_settle();
}

/* L2 has one; the next one waits for its IRET, though L1 runs in between. */
static void nmi_blocked(const struct l2_row *r)
{
	svm_gate(VECTOR_NMI, nmi_handler);
	svm_clgi();
	l1_send_nmi();
	l2_expect("exit", l1_run(r->code), VMCB_EXIT_VMMCALL);
	l2_expect("rip", svm_vmcb.save.rip, (u64)nmi_handler);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	l1_send_nmi();
	l2_expect("then", l1_run((svm_code *)(svm_vmcb.save.rip + VMMCALL_LEN)),
		  VMCB_EXIT_NMI);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("offset", offset(r), 0);
	svm_stgi();
	spin();
	l2_expect("NMIs of L1", l1_nmis, 1);
	l1_settle();
}

/* The block is the CPU's: L1, too, gets the second one after an IRET only. */
static void nmi_blocked_in_l1(const struct l2_row *r)
{
	svm_gate(VECTOR_NMI, nmi_handler);
	svm_clgi();
	l1_send_nmi();
	l2_expect("exit", l1_run(r->code), VMCB_EXIT_VMMCALL);
	l1_send_nmi();
	svm_stgi();
	spin();
	l2_expect("blocked", l1_nmis, 0);
	__asm__ volatile("int %0" : : "i"(L1_VECTOR_SOFT) : "memory");
	l2_expect("after IRET", l1_nmis, 1);
	l1_settle();
}

/* Both pending: the NMI comes first. */
static void nmi_before_interrupt(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_vmcb.save.rflags |= RFLAGS_IF;
	l1_send_interrupt();
	l2_expect("exit", run_with_nmi(r), VMCB_EXIT_NMI);
	svm_stgi();
	spin();
	l2_expect("NMIs", l1_nmis, 1);
	svm_clgi();
	l2_expect("then", l1_run(r->code), VMCB_EXIT_INTR);
	l1_settle();
}

static const struct l2_row nmis[] = {
	L2_ROW("nmi-exits", nmi_exits, do_nops),
	L2_ROW("nmi-exits-l2if", nmi_exits, do_nops, .set = RFLAGS_IF),
	L2_ROW("nmi-taken", nmi_taken, do_nops),
	L2_ROW("nmi-taken-l2if", nmi_taken, do_nops, .set = RFLAGS_IF),
	L2_ROW("nmi-blocked-until-iret", nmi_blocked, do_nops),
	L2_ROW("nmi-blocked-in-l1", nmi_blocked_in_l1, do_nops),
	L2_ROW("nmi-before-interrupt", nmi_before_interrupt, do_nops),
};

/* L2's own CLGI and STGI ****************************************************/

/* Without virtual GIF and intercepts they are the CPU's. */
static void free_gif(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	arm_timer();
	l2_expect("exit", l1_run_open(r->code), r->want);
	l2_expect("turns", svm_regs.rdx, SPINS);
	l2_expect("behind STGI", svm_regs.rbx, 0);
	svm_stgi();
	l1_open();
	l2_expect("ticks", l1_ticks, 1);
	l1_settle();
}

/* int_ctl: .arg before, .want of V_GIF and V_IRQ after exit .set; the handler
 * of a virtual interrupt has run if .clear. */
static void virtual_gif(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = (u32)r->arg;
	svm_vmcb.control.int_vector = VECTOR_INT;
	svm_vmcb.save.rflags |= RFLAGS_IF;
	svm_gate(VECTOR_INT, taken);
	l2_expect_exit(r->code, r->set ? r->set : VMCB_EXIT_VMMCALL);
	l2_expect("int_ctl",
		  svm_vmcb.control.int_ctl & (VMCB_V_GIF | VMCB_V_IRQ),
		  r->want);
	l2_expect("handler", svm_regs.rbx, r->clear ? TAKEN : 0);
}

static void virtual_gif_exits(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, (u32)r->set);
	virtual_gif(r);
}

/* What is physical does not wait for it. */
static void virtual_gif_physical(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	svm_vmcb.control.int_ctl = VMCB_V_GIF_ENABLE | VMCB_V_INTR_MASKING;
	svm_clgi();
	if (r->want == VMCB_EXIT_NMI)
		l1_send_nmi();
	else
		l1_send_interrupt();
	l2_expect("exit", l1_run_open(r->code), r->want);
	l2_expect("V_GIF", svm_vmcb.control.int_ctl & VMCB_V_GIF, 0);
	l1_settle();
}

#define VGIF VMCB_V_GIF_ENABLE
#define VIRTUAL_GIF(name, code_, before, after, ...)                     \
	L2_ROW("vgif-" name, virtual_gif, code_, .arg = VGIF | (before), \
	       .want = after, .needs = SVM_VGIF, __VA_ARGS__)

static const struct l2_row gifs[] = {
	L2_ROW("gif-free-clgi", free_gif, do_clgi_spin,
	       .want = VMCB_EXIT_VMMCALL),
	L2_ROW("gif-free-stgi", free_gif, do_clgi_spin_stgi,
	       .want = VMCB_EXIT_INTR),
	VIRTUAL_GIF("kept-clear", do_nops, 0, 0),
	VIRTUAL_GIF("kept-set", do_nops, VMCB_V_GIF, VMCB_V_GIF),
	VIRTUAL_GIF("clgi", do_clgi, VMCB_V_GIF, 0),
	VIRTUAL_GIF("stgi", do_stgi, 0, VMCB_V_GIF),
	VIRTUAL_GIF("clear-holds", do_nops, VIRTUAL, VMCB_V_IRQ),
	VIRTUAL_GIF("set-lets-in", do_nops, VIRTUAL | VMCB_V_GIF, VMCB_V_GIF,
		    .clear = 1),
	VIRTUAL_GIF("stgi-lets-in", do_stgi, VIRTUAL, VMCB_V_GIF, .clear = 1),
	L2_ROW("vgif-clgi-exits", virtual_gif_exits, do_clgi,
	       .arg = VGIF | VMCB_V_GIF, .set = VMCB_EXIT_CLGI,
	       .want = VMCB_V_GIF, .needs = SVM_VGIF),
	L2_ROW("vgif-stgi-exits", virtual_gif_exits, do_stgi, .arg = VGIF,
	       .set = VMCB_EXIT_STGI, .needs = SVM_VGIF),
	L2_ROW("vgif-clear-vintr", virtual_gif_exits, do_stgi,
	       .arg = VGIF | VIRTUAL, .set = VMCB_EXIT_VINTR,
	       .want = VMCB_V_GIF | VMCB_V_IRQ, .needs = SVM_VGIF),
	L2_ROW("vgif-physical-interrupt", virtual_gif_physical, do_nops,
	       .want = VMCB_EXIT_INTR, .needs = SVM_VGIF),
	L2_ROW("vgif-physical-nmi", virtual_gif_physical, do_nops,
	       .want = VMCB_EXIT_NMI, .needs = SVM_VGIF),
	L2_ROW("vgif-off", virtual_gif, do_nops, .arg = VIRTUAL, .clear = 1),
};

static const struct l2_table tables[] = {
	L2_TABLE(alone), L2_TABLE(interrupts), L2_TABLE(halts),
	L2_TABLE(nmis),	 L2_TABLE(gifs),
};

int main(const char *cmdline)
{
	idt_init();
	l1_init();
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
