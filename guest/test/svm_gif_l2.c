/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HLT in L2, NMIs, and L2's own CLGI and STGI, virtual or not (AMD APM vol. 2,
 * 15.17, 15.21.9 and 15.33).
 */
#include "guest/test/svm_gif.h"

#include "guest/lib/idt.h"
#include "guest/test/svm_l1.h"
#include "lib/cpu.h"

#define VECTOR_INT  0x41
#define VIRTUAL	    (VMCB_V_IRQ | 15u << VMCB_V_PRIO_SHIFT)
#define VMMCALL_LEN 3

SVM_CODE(taken, "mov $0x7a, %ebx")
SVM_CODE(do_nops, "nop; nop; nop")
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
	gif_arm_timer();
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
	gif_arm_timer();
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
	gif_arm_timer(); /* ends what goes wrong */
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

const struct l2_table gif_halts = L2_TABLE(halts);

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
	gif_expect_no_delivery();
	l2_expect("again", l1_run(r->code), VMCB_EXIT_NMI);
	l2_expect("early", l1_nmis, 0);
	svm_stgi();
	gif_spin();
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
	gif_spin();
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
	gif_spin();
	l2_expect("NMIs of L1", l1_nmis, 1);
	l1_settle();
}

/* An IRET that finds no stack ends nothing. */
static void nmi_blocked_by_fault(const struct l2_row *r)
{
	u64 *stack = svm_npte(SVM_GUEST_STACK - PAGE_SIZE), page = *stack;

	svm_gate(VECTOR_NMI, nmi_handler);
	svm_clgi();
	l1_send_nmi();
	l2_expect("exit", l1_run(r->code), VMCB_EXIT_VMMCALL);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	l1_send_nmi();
	*stack = 0;
	svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	l2_expect("then", l1_run((svm_code *)(svm_vmcb.save.rip + VMMCALL_LEN)),
		  VMCB_EXIT_NPF);
	l2_expect("TF", svm_vmcb.save.rflags & RFLAGS_TF, 0);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	*stack = page;
	l2_expect("at last", l1_run((svm_code *)svm_vmcb.save.rip),
		  VMCB_EXIT_NMI);
	l2_expect("offset", offset(r), 0);
	svm_stgi();
	gif_spin();
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
	gif_spin();
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
	gif_spin();
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
	L2_ROW("nmi-blocked-by-fault", nmi_blocked_by_fault, do_nops),
	L2_ROW("nmi-blocked-in-l1", nmi_blocked_in_l1, do_nops),
	L2_ROW("nmi-before-interrupt", nmi_before_interrupt, do_nops),
};

const struct l2_table gif_nmis = L2_TABLE(nmis);

/* L2's own CLGI and STGI ****************************************************/

/* Without virtual GIF and intercepts they are the CPU's. */
static void free_gif(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	gif_arm_timer();
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
	       .want = (after), .needs = SVM_VGIF, __VA_ARGS__)

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

const struct l2_table gif_virtual = L2_TABLE(gifs);
