/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt shadows, single steps and breakpoints (AMD APM vol. 2, 15.5.1,
 * 15.6, 15.12.2, 15.21.5 and 13.1), in L2 and of L1 around VMRUN.
 */
#include "guest/lib/idt.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"

#define VECTOR_INT 0x41
#define TAKEN	   0x7a
#define EXIT_DB	   (VMCB_EXIT_EXCEPTION + VECTOR_DB)
#define STOS_COUNT 4

#define DR6_RESET 0xffff0ff0ull
#define DR6_B0	  0x0001ull
#define DR6_BD	  0x2000ull
#define DR6_BS	  0x4000ull
#define DR7_RESET 0x400ull
#define DR7_G0	  0x2ull
#define DR7_GD	  0x2000ull
#define DR7_WRITE 0xd0002ull /* of 4 bytes at DR0 */
#define DR7_ANY	  0xf0002ull

int main(const char *cmdline);

SVM_CODE(taken, "mov $0x7a, %ebx")
SVM_CODE(do_nops, "nop; nop; nop")
SVM_CODE(do_sti, "sti; cpuid")
SVM_CODE(do_sti_nop, "sti; nop; cpuid")
SVM_CODE(do_sti_nops, "sti; nop; nop; nop")
SVM_CODE(do_mov_ss, "mov %ss, %eax; mov %eax, %ss; cpuid")
SVM_CODE(do_mov_ss_nops, "mov %eax, %ss; nop; nop; nop")
SVM_CODE(do_cpuid, "cpuid; nop; nop")
SVM_CODE(do_popf, "push $0x102; popf; nop; nop")
SVM_CODE(do_in, "in $0x80, %al; nop; nop")
SVM_CODE(do_icebp, ".byte 0xf1")
SVM_CODE(do_stos, "rep stosb")
SVM_CODE(do_store, "mov %eax, (%rdi); nop; nop")
SVM_CODE(do_load, "mov (%rdi), %eax; nop; nop")
SVM_CODE(do_read_dr7, "mov %dr7, %rbx")
SVM_CODE(do_dr6, "mov %dr6, %rbx; xor $2, %ebx; mov %rbx, %dr6")
SVM_CODE(do_dr7, "mov %dr7, %rbx; or $2, %ebx; mov %rbx, %dr7")
SVM_CODE(do_dr0, "mov %dr0, %rbx; mov $0x12345, %ecx; mov %rcx, %dr0")

static u64 offset(const struct l2_row *r)
{
	return svm_vmcb.save.rip - (u64)r->code;
}

static void set_dr0(u64 v)
{
	__asm__ volatile("mov %0, %%dr0" : : "r"(v));
}

static u64 read_dr0(void)
{
	u64 v;

	__asm__ volatile("mov %%dr0, %0" : "=r"(v));
	return v;
}

static u64 read_dr7(void)
{
	u64 v;

	__asm__ volatile("mov %%dr7, %0" : "=r"(v));
	return v;
}

static void set_dr7(u64 v)
{
	__asm__ volatile("mov %0, %%dr7" : : "r"(v));
}

/* Interrupt shadows *********************************************************/

/* A virtual interrupt that waits for nothing but a shadow. */
static void make_virtual_pending(void)
{
	svm_vmcb.control.int_ctl = VMCB_V_IRQ | 15u << VMCB_V_PRIO_SHIFT;
	svm_vmcb.control.int_vector = VECTOR_INT;
	svm_vmcb.save.rflags |= RFLAGS_IF;
	svm_gate(VECTOR_INT, taken);
}

/* VMRUN with int_state .arg: the interrupt's window opens at .want. */
static void shadow_loaded(const struct l2_row *r)
{
	make_virtual_pending();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VINTR);
	svm_vmcb.control.int_state = r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_VINTR);
	l2_expect("offset", offset(r), r->want);
	l2_expect("shadow", svm_vmcb.control.int_state, 0);
}

static void shadow_then_taken(const struct l2_row *r)
{
	make_virtual_pending();
	svm_vmcb.control.int_state = r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
}

static void shadow_saved(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	svm_vmcb.save.rflags |= r->set;
	l2_expect_exit(r->code, VMCB_EXIT_CPUID);
	l2_expect("shadow", svm_vmcb.control.int_state & VMCB_SHADOW, r->want);
}

/* L2's shadow at the exit is none of L1. */
static void shadow_not_l1s(const struct l2_row *r)
{
	unsigned at_once;

	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_clgi();
	l1_send_interrupt();
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	l2_expect("exit", l1_run(r->code), VMCB_EXIT_CPUID);
	__asm__ volatile("sti; nop" : : : "memory");
	svm_stgi();
	__asm__ volatile("nop" : : : "memory");
	at_once = l1_interrupts;
	cli();
	l2_expect("interrupts", at_once, 1);
	l1_settle();
}

/* A physical one, not intercepted, comes behind the instruction after STI. */
static void shadow_physical(const struct l2_row *r)
{
	svm_gate(L1_VECTOR, taken);
	l1_send_interrupt();
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
	l1_settle();
}

static const struct l2_row shadows[] = {
	L2_ROW("shadow-loaded", shadow_loaded, do_nops, .arg = VMCB_SHADOW,
	       .want = 1),
	L2_ROW("shadow-none", shadow_loaded, do_nops, .want = 0),
	L2_ROW("shadow-then-taken", shadow_then_taken, do_nops,
	       .arg = VMCB_SHADOW, .want = 1),
	L2_ROW("shadow-none-taken", shadow_then_taken, do_nops, .want = 0),
	L2_ROW("shadow-saved-sti", shadow_saved, do_sti, .want = VMCB_SHADOW),
	L2_ROW("shadow-saved-sti-again", shadow_saved, do_sti,
	       .set = RFLAGS_IF),
	L2_ROW("shadow-saved-sti-nop", shadow_saved, do_sti_nop),
	L2_ROW("shadow-saved-mov-ss", shadow_saved, do_mov_ss,
	       .want = VMCB_SHADOW),
	L2_ROW("shadow-saved-none", shadow_saved, do_cpuid),
	L2_ROW("shadow-not-l1s", shadow_not_l1s, do_sti),
	L2_ROW("shadow-physical", shadow_physical, do_sti_nops, .want = 2),
};

/* Single steps **************************************************************/

/* A #DB exit at .want. */
static void step(const struct l2_row *r)
{
	svm_vmcb.save.rflags |= r->set;
	svm_regs.rdi = SVM_PAGE_A;
	svm_regs.rcx = STOS_COUNT;
	svm_vmcb.save.rax = SEL_DATA;
	l2_expect_exit(r->code, EXIT_DB);
	l2_expect("offset", offset(r), r->want);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET | DR6_BS);
	l2_expect("TF", svm_vmcb.save.rflags & RFLAGS_TF, RFLAGS_TF);
	l2_expect("EXITINTINFO.V",
		  svm_vmcb.control.exit_int_info & VMCB_EVENT_VALID, 0);
}

/* Each iteration is a step of its own. */
static void step_string(const struct l2_row *r)
{
	step(r);
	l2_expect("rcx", svm_regs.rcx, STOS_COUNT - 1);
}

static void step_delivered(const struct l2_row *r)
{
	vmcb_pass(&svm_vmcb, EXIT_DB);
	svm_gate(VECTOR_DB, taken);
	svm_vmcb.save.rflags |= RFLAGS_TF;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
	l2_expect("pushed TF", ((u64 *)svm_vmcb.save.rsp)[2] & RFLAGS_TF,
		  RFLAGS_TF);
	l2_expect("TF", svm_vmcb.save.rflags & RFLAGS_TF, 0);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET | DR6_BS);
}

/* The intercepted instruction has not run yet. */
static void step_intercepted(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	svm_vmcb.save.rflags |= RFLAGS_TF;
	l2_expect_exit(r->code, VMCB_EXIT_CPUID);
	l2_expect("offset", offset(r), 0);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET);
}

/* L1 leaves it behind: the trap is that of the instruction after it. */
static void step_skipped(const struct l2_row *r)
{
	step_intercepted(r);
	l2_expect("exit", l2_run((svm_code *)(svm_vmcb.save.rip + 2)), EXIT_DB);
	l2_expect("offset", offset(r), 3);
}

/* A fault comes first, the step when the instruction has been done. */
static void step_npf(const struct l2_row *r)
{
	u64 entry = *svm_npte(SVM_PAGE_A);

	svm_regs.rdi = SVM_PAGE_A;
	svm_vmcb.save.rflags |= RFLAGS_TF;
	*svm_npte(SVM_PAGE_A) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET);
	*svm_npte(SVM_PAGE_A) = entry;
	l2_expect("then", l2_run((svm_code *)svm_vmcb.save.rip), EXIT_DB);
	l2_expect("offset", offset(r), r->want);
}

static void step_injected(const struct l2_row *r)
{
	svm_vmcb.save.rflags |= RFLAGS_TF;
	svm_gate(VECTOR_INT, taken);
	svm_vmcb.control.event_inj =
		VMCB_EVENT_VALID | VMCB_EVENT_INTR | VECTOR_INT;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("pushed TF", ((u64 *)svm_vmcb.save.rsp)[2] & RFLAGS_TF,
		  RFLAGS_TF);
}

/* INT1 is no #DB for the intercept. */
static void icebp(const struct l2_row *r)
{
	svm_gate(VECTOR_DB, taken);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
}

static u64 l1_stepped_at;

static void on_step(struct trap_frame *f)
{
	l1_stepped_at = f->rip;
	f->rflags &= ~(u64)RFLAGS_TF;
}

/* L1 single-steps VMRUN: for it, one instruction. */
static void step_vmrun(const struct l2_row *r)
{
	trap_handler *old = idt_handle(VECTOR_DB, on_step);
	u64 behind;

	svm_vmcb.save.rip = (u64)r->code;
	l1_stepped_at = 0;
	__asm__ volatile("push %%rbx; push %%rbp; pushf\n\t"
			 "orq %2, (%%rsp)\n\t"
			 "popf\n\t"
			 "vmrun\n"
			 "1: pop %%rbp; pop %%rbx\n\t"
			 "lea 1b(%%rip), %0"
			 : "=&r"(behind)
			 : "a"(&svm_vmcb), "i"(RFLAGS_TF)
			 : "rcx", "rdx", "rsi", "rdi", "memory", "cc");
	svm_stgi();
	idt_handle(VECTOR_DB, old);
	l2_expect("exit", svm_vmcb.control.exit_code, VMCB_EXIT_VMMCALL);
	l2_expect("step", l1_stepped_at, behind);
	l2_expect("TF", svm_vmcb.save.rflags & RFLAGS_TF, 0);
}

#define STEP(name, code_, at) \
	L2_ROW("step-" name, step, code_, .set = RFLAGS_TF, .want = (at))

static const struct l2_row steps[] = {
	STEP("nop", do_nops, 1),
	STEP("mov-ss", do_mov_ss_nops, 3),
	STEP("port", do_in, 2), /* a hypervisor below may do it */
	L2_ROW("step-popf", step, do_popf, .want = 7),
	L2_ROW("step-string", step_string, do_stos, .set = RFLAGS_TF),
	L2_ROW("step-delivered", step_delivered, do_nops, .want = 1),
	L2_ROW("step-port-delivered", step_delivered, do_in, .want = 2),
	L2_ROW("step-intercepted", step_intercepted, do_cpuid),
	L2_ROW("step-skipped", step_skipped, do_cpuid),
	L2_ROW("step-npf", step_npf, do_store, .want = 2),
	L2_ROW("step-injected", step_injected, do_nops),
	L2_ROW("step-icebp", icebp, do_icebp),
	L2_ROW("step-vmrun-of-l1", step_vmrun, do_nops),
};

/* Breakpoints ***************************************************************/

/* DR7 .arg with DR0 at page A, or at .code + .set if it is an instruction. */
static void arm(const struct l2_row *r)
{
	svm_regs.rdi = SVM_PAGE_A;
	svm_vmcb.save.dr7 |= r->arg;
	set_dr0(r->arg == DR7_G0 ? (u64)r->code + r->set : SVM_PAGE_A);
}

static void breakpoint(const struct l2_row *r)
{
	arm(r);
	l2_expect_exit(r->code, EXIT_DB);
	l2_expect("offset", offset(r), r->want);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET | DR6_B0);
}

static void breakpoint_rf(const struct l2_row *r)
{
	arm(r);
	svm_vmcb.save.rflags |= RFLAGS_RF;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET);
}

static void breakpoint_delivered(const struct l2_row *r)
{
	arm(r);
	vmcb_pass(&svm_vmcb, EXIT_DB);
	svm_gate(VECTOR_DB, taken);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET | DR6_B0);
}

/* L1's DR7 is not L2's, and has no breakpoint after the exit. */
static void breakpoint_of_l1(const struct l2_row *r)
{
	set_dr0((u64)r->code);
	set_dr7(DR7_RESET | DR7_G0);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("dr7", read_dr7() & 0xff, 0);
	l2_expect("dr7 of L2", svm_vmcb.save.dr7, DR7_RESET);
}

static void dr7_of_l1_cleared(const struct l2_row *r)
{
	svm_vmcb.save.dr7 = DR7_RESET | DR7_G0;
	set_dr0(SVM_PAGE_A);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("dr7", read_dr7() & 0xff, 0);
	l2_expect("dr7 of L2", svm_vmcb.save.dr7, DR7_RESET | DR7_G0);
}

static void general_detect(const struct l2_row *r)
{
	svm_vmcb.save.dr7 |= DR7_GD;
	l2_expect_exit(r->code, EXIT_DB);
	l2_expect("offset", offset(r), 0);
	l2_expect("dr6", svm_vmcb.save.dr6, DR6_RESET | DR6_BD);
	l2_expect("dr7", svm_vmcb.save.dr7, DR7_RESET);
}

static void dr6_switched(const struct l2_row *r)
{
	svm_vmcb.save.dr6 = DR6_RESET | DR6_B0;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("loaded and changed", svm_regs.rbx, DR6_RESET | 3);
	l2_expect("saved", svm_vmcb.save.dr6, DR6_RESET | 3);
}

static void dr7_switched(const struct l2_row *r)
{
	set_dr0(SVM_PAGE_A);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("loaded and changed", svm_regs.rbx, DR7_RESET | DR7_G0);
	l2_expect("saved", svm_vmcb.save.dr7, DR7_RESET | DR7_G0);
}

/* VMRUN and #VMEXIT leave DR0 to DR3 alone. */
static void dr0_shared(const struct l2_row *r)
{
	set_dr0(SVM_PAGE_B);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("L1's in L2", svm_regs.rbx, SVM_PAGE_B);
	l2_expect("L2's in L1", read_dr0(), 0x12345);
}

static const struct l2_row breakpoints[] = {
	L2_ROW("break-first", breakpoint, do_nops, .arg = DR7_G0),
	L2_ROW("break-second", breakpoint, do_nops, .arg = DR7_G0, .set = 1,
	       .want = 1),
	L2_ROW("break-rf", breakpoint_rf, do_nops, .arg = DR7_G0),
	L2_ROW("break-write", breakpoint, do_store, .arg = DR7_WRITE,
	       .want = 2),
	L2_ROW("break-any-by-load", breakpoint, do_load, .arg = DR7_ANY,
	       .want = 2),
	L2_ROW("break-delivered", breakpoint_delivered, do_nops, .arg = DR7_G0,
	       .set = 1, .want = 1),
	L2_ROW("break-of-l1", breakpoint_of_l1, do_nops),
	L2_ROW("break-dr7-of-l1", dr7_of_l1_cleared, do_nops),
	L2_ROW("break-general-detect", general_detect, do_read_dr7),
	L2_ROW("break-dr6", dr6_switched, do_dr6),
	L2_ROW("break-dr7", dr7_switched, do_dr7),
	L2_ROW("break-dr0", dr0_shared, do_dr0),
};

static const struct l2_table tables[] = {
	L2_TABLE(shadows),
	L2_TABLE(steps),
	L2_TABLE(breakpoints),
};

int main(const char *cmdline)
{
	idt_init();
	l1_init();
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
