/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual interrupts and the task priority (AMD APM vol. 2, 15.21.2 to
 * 15.21.6): V_IRQ, V_INTR_PRIO, V_TPR, V_IGN_TPR, the VINTR intercept and CR8.
 */
#include "guest/lib/idt.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"

#define VECTOR_INT     0x41
#define TAKEN	       0x7a
#define TAKEN_FIRST    0x7b
#define PRIO(n)	       ((u32)(n) << VMCB_V_PRIO_SHIFT)
#define IRQ(prio)      (VMCB_V_IRQ | PRIO(prio))
#define MASKING	       VMCB_V_INTR_MASKING
#define TPR_MAX	       15
#define ECX_ALT_CR8    0x10 /* CPUID 80000001: LOCK MOV CR0 is MOV CR8 */
#define CPUID_FEATURES 0x80000001

int main(const char *cmdline);

SVM_CODE(taken, "mov $0x7a, %ebx")
SVM_CODE(taken_first, "mov $0x7b, %ebx")
SVM_CODE(do_nops, "nop; nop; nop")
SVM_CODE(do_sti, "sti; nop; nop")
SVM_CODE(do_popf, "push $0x202; popf; nop")
SVM_CODE(do_iret, "mov %rsp, %rcx; push $0x10; push %rcx; push $0x202; push $8;"
		  "lea 1f(%rip), %rax; push %rax; iretq; 1: nop")
SVM_CODE(do_read_cr8, "mov %cr8, %rcx")
SVM_CODE(do_write_cr8, "mov $6, %ecx; mov %rcx, %cr8; nop; nop")
SVM_CODE(do_raise_cr8, "mov $15, %ecx; mov %rcx, %cr8; sti; nop; nop")
SVM_CODE(do_alt_cr8, ".byte 0xf0, 0x0f, 0x20, 0xc1") /* lock mov %cr0, %ecx */

SVM_CODE(do_raise_alt_cr8, "mov $15, %ecx; .byte 0xf0, 0x0f, 0x22, 0xc1;"
			   "sti; nop; nop")

static u64 offset(const struct l2_row *r)
{
	return svm_vmcb.save.rip - (u64)r->code;
}

/* int_ctl .arg, RFLAGS .set. */
static void prepare(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = (u32)r->arg;
	svm_vmcb.control.int_vector = VECTOR_INT;
	svm_vmcb.save.rflags |= r->set;
	svm_gate(VECTOR_INT, taken);
}

static void expect_int_ctl(u64 want)
{
	l2_expect("int_ctl", svm_vmcb.control.int_ctl, want);
}

/* Taken when L2 is at .want; then V_IRQ is clear, all else as it was. */
static void virtual_taken(const struct l2_row *r)
{
	prepare(r);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	if (l2_expect("handler", svm_regs.rbx, TAKEN))
		l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
			  (u64)r->code + r->want);
	l2_expect("IF", svm_vmcb.save.rflags & RFLAGS_IF, 0);
	expect_int_ctl(r->arg & ~(u64)VMCB_V_IRQ);
}

static void virtual_vector(const struct l2_row *r)
{
	prepare(r);
	svm_gate(VECTOR_INT, svm_handler);
	svm_gate((u8)r->want, taken);
	svm_vmcb.control.int_vector = (u32)r->want;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("words", (SVM_GUEST_STACK - svm_vmcb.save.rsp) / 8, 5);
}

/* It stays pending in the VMCB, and only there. */
static void virtual_waits(const struct l2_row *r)
{
	prepare(r);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, 0);
	expect_int_ctl(r->arg);
	l1_open();
}

/* An exit VINTR when it would be taken, with L2 at .want. */
static void window(const struct l2_row *r)
{
	prepare(r);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VINTR);
	l2_expect_exit(r->code, VMCB_EXIT_VINTR);
	l2_expect("offset", offset(r), r->want);
	l2_expect("IRQ", svm_vmcb.control.int_ctl & VMCB_V_IRQ, VMCB_V_IRQ);
	l2_expect("EXITINTINFO.V",
		  svm_vmcb.control.exit_int_info & VMCB_EVENT_VALID, 0);
}

static void window_closed(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VINTR);
	virtual_waits(r);
}

/* What hypervisors use it for. */
static void window_then_injected(const struct l2_row *r)
{
	window(r);
	svm_vmcb.control.int_ctl &= ~VMCB_V_IRQ;
	svm_vmcb.control.event_inj =
		VMCB_EVENT_VALID | VMCB_EVENT_INTR | VECTOR_INT;
	l2_expect("then", l2_run((svm_code *)svm_vmcb.save.rip),
		  VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("return to", *(u64 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
}

/* Once taken it does not come back with the next VMRUN. */
static void taken_once(const struct l2_row *r)
{
	virtual_taken(r);
	svm_regs.rbx = 0;
	svm_vmcb.save.rflags |= RFLAGS_IF;
	l2_expect_exit(do_nops, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, 0);
}

/* EVENTINJ is first; its handler has interrupts off. */
static void after_injection(const struct l2_row *r)
{
	prepare(r);
	svm_gate(VECTOR_INT + 1, taken_first);
	svm_vmcb.control.event_inj =
		VMCB_EVENT_VALID | VMCB_EVENT_INTR | (VECTOR_INT + 1);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN_FIRST);
	expect_int_ctl(r->arg);
}

/* A physical one comes before a virtual one: as an exit, or taken by L2. */
static void after_physical_exit(const struct l2_row *r)
{
	prepare(r);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_clgi();
	l1_send_interrupt();
	l2_expect("exit", l1_run_open(r->code), VMCB_EXIT_INTR);
	l2_expect("handler", svm_regs.rbx, 0);
	expect_int_ctl(r->arg);
	l1_settle();
}

static void after_physical(const struct l2_row *r)
{
	prepare(r);
	svm_gate(L1_VECTOR, taken_first);
	l1_send_interrupt();
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN_FIRST);
	expect_int_ctl(r->arg);
	l1_settle();
}

#define TAKES(name, ctl, code_, at)                              \
	L2_ROW("virq-" name, virtual_taken, code_, .arg = (ctl), \
	       .set = RFLAGS_IF, .want = (at))
#define WAITS(name, ctl)                                           \
	L2_ROW("virq-" name, virtual_waits, do_nops, .arg = (ctl), \
	       .set = RFLAGS_IF)
#define VECTOR(name, vector)                                               \
	L2_ROW("virq-" name, virtual_vector, do_nops, .arg = IRQ(TPR_MAX), \
	       .set = RFLAGS_IF, .want = (vector))
#define WINDOW(name, ctl, code_, flags, at)                                \
	L2_ROW("vintr-" name, window, code_, .arg = (ctl), .set = (flags), \
	       .want = (at))

static const struct l2_row interrupts[] = {
	TAKES("taken", IRQ(TPR_MAX), do_nops, 0),
	TAKES("taken-masking", IRQ(TPR_MAX) | MASKING, do_nops, 0),
	TAKES("above-tpr", IRQ(5) | 4, do_nops, 0),
	TAKES("above-tpr-masking", IRQ(5) | 4 | MASKING, do_nops, 0),
	TAKES("ignore-tpr", IRQ(0) | TPR_MAX | VMCB_V_IGN_TPR, do_nops, 0),
	WAITS("equal-to-tpr", IRQ(5) | 5 | MASKING),
	WAITS("below-tpr", IRQ(5) | 6 | MASKING),
	WAITS("below-tpr-unmasked", IRQ(5) | 6),
	WAITS("prio-0", IRQ(0) | MASKING),
	WAITS("tpr-max", IRQ(TPR_MAX) | TPR_MAX | MASKING),
	L2_ROW("virq-if-clear", virtual_waits, do_nops, .arg = IRQ(TPR_MAX)),
	L2_ROW("virq-if-clear-masking", virtual_waits, do_nops,
	       .arg = IRQ(TPR_MAX) | MASKING),
	L2_ROW("virq-none", virtual_waits, do_nops, .arg = PRIO(TPR_MAX),
	       .set = RFLAGS_IF),
	L2_ROW("virq-at-sti", virtual_taken, do_sti, .arg = IRQ(TPR_MAX),
	       .want = 2),
	L2_ROW("virq-at-popf", virtual_taken, do_popf, .arg = IRQ(TPR_MAX),
	       .want = 6),
	VECTOR("vector-16", 16),
	VECTOR("vector-32", 32),
	VECTOR("vector-255", 255),
	L2_ROW("virq-once", taken_once, do_nops, .arg = IRQ(TPR_MAX),
	       .set = RFLAGS_IF),
	L2_ROW("virq-after-injection", after_injection, do_nops,
	       .arg = IRQ(TPR_MAX), .set = RFLAGS_IF),
	L2_ROW("virq-after-exit", after_physical_exit, do_nops,
	       .arg = IRQ(TPR_MAX) | MASKING, .set = RFLAGS_IF),
	L2_ROW("virq-after-physical", after_physical, do_nops,
	       .arg = IRQ(TPR_MAX), .set = RFLAGS_IF),
	WINDOW("open", IRQ(TPR_MAX), do_nops, RFLAGS_IF, 0),
	WINDOW("open-masking", IRQ(TPR_MAX) | MASKING, do_nops, RFLAGS_IF, 0),
	WINDOW("at-sti", IRQ(TPR_MAX), do_sti, 0, 2),
	WINDOW("at-sti-masking", IRQ(TPR_MAX) | MASKING, do_sti, 0, 2),
	WINDOW("at-popf", IRQ(TPR_MAX), do_popf, 0, 6),
	WINDOW("at-iret", IRQ(TPR_MAX), do_iret, 0, 23),
	WINDOW("at-cr8", IRQ(7) | TPR_MAX | MASKING, do_write_cr8, RFLAGS_IF,
	       9),
	WINDOW("ignore-tpr", IRQ(0) | TPR_MAX | VMCB_V_IGN_TPR, do_nops,
	       RFLAGS_IF, 0),
	L2_ROW("vintr-if-clear", window_closed, do_nops, .arg = IRQ(TPR_MAX)),
	L2_ROW("vintr-tpr", window_closed, do_nops,
	       .arg = IRQ(TPR_MAX) | TPR_MAX | MASKING, .set = RFLAGS_IF),
	L2_ROW("vintr-none", window_closed, do_nops, .arg = PRIO(TPR_MAX),
	       .set = RFLAGS_IF),
	L2_ROW("vintr-then-injected", window_then_injected, do_sti,
	       .arg = IRQ(TPR_MAX) | MASKING, .want = 2),
};

/* The task priority *********************************************************/

/* CR8 of L1 is .set, V_TPR .arg; L2 reads .want. */
static void cr8_read(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = (u32)r->arg;
	write_cr8(r->set);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("CR8", svm_regs.rcx, r->want);
	l2_expect("CR8 of L1", read_cr8(), r->set);
	expect_int_ctl(r->arg);
	l1_settle();
}

/* L2 writes 6; then L1's is .want. */
static void cr8_written(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = (u32)r->arg;
	write_cr8(r->set);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("CR8 of L1", read_cr8(), r->want);
	expect_int_ctl((r->arg & ~(u64)VMCB_V_TPR_MASK) | 6);
	l1_settle();
}

/* The same of an L1 whose GIF is 0 all the time, as most have it. */
static void cr8_written_in_l1s_loop(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = (u32)r->arg;
	write_cr8(r->set);
	svm_clgi();
	l2_expect("exit", l1_run(r->code), VMCB_EXIT_VMMCALL);
	l2_expect("CR8 of L1, GIF=0", read_cr8(), r->want);
	svm_stgi();
	l2_expect("CR8 of L1", read_cr8(), r->want);
	l1_settle();
}

/* Raised in time, it holds off the virtual interrupt. */
static void cr8_raised(const struct l2_row *r)
{
	prepare(r);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, 0);
	expect_int_ctl(r->arg | TPR_MAX);
	l1_settle();
}

static bool has_alternative(void)
{
	return cpuid(CPUID_FEATURES, 0).ecx & ECX_ALT_CR8;
}

/* LOCK MOV to CR0. */
static void cr8_raised_alternative(const struct l2_row *r)
{
	if (has_alternative()) {
		cr8_raised(r);
		return;
	}
	prepare(r);
	l2_expect_exit(r->code, VMCB_EXIT_EXCEPTION + VECTOR_UD);
}

static void cr8_alternative(const struct l2_row *r)
{
	bool there = has_alternative();

	svm_vmcb.control.int_ctl = MASKING | 9;
	l2_expect_exit(r->code, there ? VMCB_EXIT_VMMCALL
				      : VMCB_EXIT_EXCEPTION + VECTOR_UD);
	l2_expect("CR8", svm_regs.rcx, there ? 9 : 0);
}

/* The APIC's priority decides about physical interrupts, V_TPR never. L1's CR8
 * is .set. */
static void tpr_of_physical(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = (u32)r->arg;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_clgi();
	write_cr8(r->set);
	l1_send_interrupt();
	l2_expect("exit", l1_run_open(r->code), r->want);
	svm_stgi();
	l1_open();
	l2_expect("early", l1_interrupts, r->want == VMCB_EXIT_INTR);
	write_cr8(0);
	l1_open();
	l2_expect("interrupts", l1_interrupts, 1);
	l1_settle();
}

static const struct l2_row priorities[] = {
	L2_ROW("cr8-read-masking", cr8_read, do_read_cr8, .arg = MASKING | 9,
	       .set = 3, .want = 9),
	L2_ROW("cr8-read-masking-0", cr8_read, do_read_cr8, .arg = MASKING,
	       .set = 3),
	L2_ROW("cr8-read", cr8_read, do_read_cr8, .arg = 9, .set = 3,
	       .want = 3),
	L2_ROW("cr8-write-masking", cr8_written, do_write_cr8,
	       .arg = MASKING | 9, .set = 3, .want = 3),
	L2_ROW("cr8-write", cr8_written, do_write_cr8, .arg = 9, .set = 3,
	       .want = 6),
	L2_ROW("cr8-write-masking-loop", cr8_written_in_l1s_loop, do_write_cr8,
	       .arg = MASKING | 9, .set = 3, .want = 3),
	L2_ROW("cr8-write-loop", cr8_written_in_l1s_loop, do_write_cr8,
	       .arg = 9, .set = 3, .want = 6),
	L2_ROW("cr8-raised-masking", cr8_raised, do_raise_cr8,
	       .arg = IRQ(TPR_MAX) | MASKING),
	L2_ROW("cr8-raised", cr8_raised, do_raise_cr8, .arg = IRQ(TPR_MAX)),
	L2_ROW("cr8-raised-by-lock-mov-cr0", cr8_raised_alternative,
	       do_raise_alt_cr8, .arg = IRQ(TPR_MAX)),
	L2_ROW("cr8-by-lock-mov-cr0", cr8_alternative, do_alt_cr8),
	L2_ROW("tpr-holds-physical", tpr_of_physical, do_nops, .arg = MASKING,
	       .set = TPR_MAX, .want = VMCB_EXIT_VMMCALL),
	L2_ROW("tpr-lets-physical-in", tpr_of_physical, do_nops,
	       .arg = MASKING | TPR_MAX, .want = VMCB_EXIT_INTR),
};

static const struct l2_table tables[] = {
	L2_TABLE(interrupts),
	L2_TABLE(priorities),
};

int main(const char *cmdline)
{
	idt_init();
	l1_init();
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
