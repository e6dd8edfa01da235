/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exit tells of the event whose delivery it interrupts, and what
 * becomes of exceptions (AMD APM vol. 2, 15.7.2 and 15.12).
 */
#include "guest/test/svm_event.h"

#include "guest/lib/idt.h"
#include "guest/test/svm_l1.h"
#include "lib/cpu.h"

#define PF_WRITE	  0x2ull /* error code: a write to no page */
#define TABLE_IDT	  0x2ull /* in an error code: a gate of the IDT */
#define EXTERNAL	  0x1ull
#define NEW_PAGES	  (SVM_SCRATCH + 0x60000)
#define GATE_NONE	  0x80 /* a gate's type without this: not present */
#define GATE_TYPE	  0x0f
#define GATE_CODE(vector) ((u64)(vector) << 3 | TABLE_IDT)
#define EXIT_OF(vector)	  (VMCB_EXIT_EXCEPTION + (vector))

SVM_CODE(do_int, "int $0x41")
SVM_CODE(do_int3, "int3")
SVM_CODE(do_icebp, ".byte 0xf1")
SVM_CODE(do_ud2, "ud2")
SVM_CODE(do_div, "xor %ecx, %ecx; div %ecx")
SVM_CODE(do_gp, "mov $1, %eax; shl $63, %rax; mov (%rax), %eax")
SVM_CODE(do_store, "movabs $0x140000008, %rax; mov %eax, (%rax)")
SVM_CODE(do_set_cr2, "mov $0x12345678, %eax; mov %rax, %cr2")
SVM_CODE(do_vmmcalls, "vmmcall")

static struct idt_gate *gate(unsigned vector)
{
	return &((struct idt_gate *)SVM_IDT)[vector];
}

static void take_away_gate(unsigned vector)
{
	gate(vector)->type &= (u8)~GATE_NONE;
}

static void let_exceptions_pass(void)
{
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 0;
}

/* Interrupted deliveries ****************************************************/

static void expect_lost(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("exitintinfo", c->exit_int_info, r->want);
	l2_expect("info 1", c->exit_info_1, VMCB_NPF_FINAL | VMCB_NPF_USER);
	l2_expect("page", c->exit_info_2 & ~(PAGE_SIZE - 1ull), SVM_IDT);
}

/* .code raises an event, or .arg is injected. It ends in a nested page fault,
 * because L1 has taken L2's IDT away. */
static void lost(const struct l2_row *r)
{
	let_exceptions_pass();
	svm_vmcb.control.event_inj = r->arg;
	*svm_npte(SVM_IDT) = 0;
	expect_lost(r);
}

/* The next exit, of L2 in peace, tells of no event. */
static void lost_then_nothing(const struct l2_row *r)
{
	lost(r);
	svm_vmcb.control.event_inj = 0;
	svm_vmcb.save.rsp = SVM_GUEST_STACK;
	l2_expect_exit(event_nop, VMCB_EXIT_VMMCALL);
	l2_expect("later", svm_vmcb.control.exit_int_info & PRESENT, 0);
}

/* L1 does what a hypervisor does: mends the page and injects what it is told.
 */
static void lost_then_injected(const struct l2_row *r)
{
	u64 idt = *svm_npte(SVM_IDT);

	lost(r);
	*svm_npte(SVM_IDT) = idt;
	svm_gate(event_vector(r->want), event_taken);
	svm_vmcb.control.event_inj = svm_vmcb.control.exit_int_info;
	svm_vmcb.control.next_rip = svm_vmcb.save.rip;
	if (l2_expect("exit", l2_run((svm_code *)svm_vmcb.save.rip),
		      VMCB_EXIT_VMMCALL))
		event_expect_taken(r->want, (u64)r->code);
}

/* The frame goes to a page that nobody has touched: whoever keeps tables of its
 * own below L1 has to map it amid the delivery, which L1 does not see. */
static void onto_new_page(const struct l2_row *r)
{
	u64 next = (u64)r->code + r->want;

	svm_gate(VECTOR_INT, event_taken);
	svm_vmcb.control.event_inj = r->arg;
	svm_vmcb.control.next_rip = next;
	svm_vmcb.save.rsp = NEW_PAGES + r->set;
	if (l2_expect_exit(r->code, VMCB_EXIT_VMMCALL))
		l2_expect("rip", event_pushed(0, false), next);
	l2_expect("handler", svm_regs.rbx, TAKEN);
}

static void lost_virtual(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = VMCB_V_IRQ | 15u << VMCB_V_PRIO_SHIFT;
	svm_vmcb.control.int_vector = VECTOR_INT;
	svm_vmcb.save.rflags |= RFLAGS_IF;
	lost(r);
	l2_expect("V_IRQ", svm_vmcb.control.int_ctl & VMCB_V_IRQ, 0);
}

/* L2 has taken it from the APIC: L1 does not get it any more. */
static void lost_interrupt(const struct l2_row *r)
{
	l1_send_interrupt();
	svm_vmcb.save.rflags |= RFLAGS_IF;
	lost(r);
	l1_open();
	l2_expect("interrupts", l1_interrupts, 0);
	l1_settle();
}

static void lost_nmi(const struct l2_row *r)
{
	svm_clgi();
	l1_send_nmi();
	lost(r);
	l2_expect("NMIs", l1_nmis, 0);
	l1_settle();
}

static void lost_page_fault(const struct l2_row *r)
{
	lost(r);
	l2_expect("cr2", svm_vmcb.save.cr2, UNMAPPED);
}

/* An exit that no delivery leads to. */
static void no_delivery(const struct l2_row *r)
{
	if (r->arg <= VMCB_EXIT_CHOSEN_MAX)
		vmcb_intercept(&svm_vmcb, (u32)r->arg);
	l2_expect_exit(r->code, r->arg);
	l2_expect("valid", svm_vmcb.control.exit_int_info & PRESENT, 0);
	l2_expect("rip", svm_vmcb.save.rip - (u64)r->code, r->want);
}

#define LOST(name, code_, event) \
	L2_ROW("lost-" name, lost, code_, .want = (event))
#define LOST_INJECTED(name, event, ...)                                \
	L2_ROW("lost-injected-" name, lost, event_nop, .arg = (event), \
	       .want = (event), __VA_ARGS__)

static const struct l2_row deliveries[] = {
	LOST_INJECTED("ud", EXCEPTION(VECTOR_UD)),
	LOST_INJECTED("gp", EXCEPTION(VECTOR_GP) | WITH_CODE(0xfff8)),
	LOST_INJECTED("pf", EXCEPTION(VECTOR_PF) | WITH_CODE(0x1f)),
	LOST_INJECTED("df", EXCEPTION(VECTOR_DF) | WITH_CODE(0)),
	LOST_INJECTED("bp", EXCEPTION(VECTOR_BP), .needs = SVM_NRIPS),
	LOST_INJECTED("intr", EVENT(INTR, VECTOR_INT)),
	LOST_INJECTED("intr-255", EVENT(INTR, 255)),
	LOST_INJECTED("nmi", EVENT(NMI, VECTOR_NMI)),
	LOST_INJECTED("soft", EVENT(SOFT, VECTOR_INT), .needs = SVM_NRIPS),
	LOST("int", do_int, EVENT(SOFT, VECTOR_INT)),
	LOST("int3", do_int3, EXCEPTION(VECTOR_BP)),
	LOST("icebp", do_icebp, EXCEPTION(VECTOR_DB)),
	LOST("ud", do_ud2, EXCEPTION(VECTOR_UD)),
	LOST("de", do_div, EXCEPTION(VECTOR_DE)),
	LOST("gp", do_gp, EXCEPTION(VECTOR_GP) | WITH_CODE(0)),
	L2_ROW("lost-pf", lost_page_fault, do_store,
	       .want = EXCEPTION(VECTOR_PF) | WITH_CODE(PF_WRITE)),
	L2_ROW("lost-virtual", lost_virtual, event_nop,
	       .want = EVENT(INTR, VECTOR_INT)),
	L2_ROW("lost-interrupt", lost_interrupt, event_nop,
	       .want = EVENT(INTR, L1_VECTOR)),
	L2_ROW("lost-nmi", lost_nmi, event_nop, .want = EVENT(NMI, VECTOR_NMI)),
	L2_ROW("lost-then-nothing", lost_then_nothing, do_ud2,
	       .want = EXCEPTION(VECTOR_UD)),
	L2_ROW("lost-ud-then-injected", lost_then_injected, do_ud2,
	       .want = EXCEPTION(VECTOR_UD)),
	L2_ROW("lost-gp-then-injected", lost_then_injected, event_nop,
	       .arg = EXCEPTION(VECTOR_GP) | WITH_CODE(8),
	       .want = EXCEPTION(VECTOR_GP) | WITH_CODE(8)),
	L2_ROW("new-page-int", onto_new_page, do_int, .want = 2,
	       .set = PAGE_SIZE),
	L2_ROW("new-page-injected-soft", onto_new_page, event_nop, .want = 1,
	       .set = 2ull * PAGE_SIZE, .arg = EVENT(SOFT, VECTOR_INT),
	       .needs = SVM_NRIPS),
	L2_ROW("no-delivery-int", no_delivery, do_int, .arg = VMCB_EXIT_SWINT),
	L2_ROW("no-delivery-icebp", no_delivery, do_icebp,
	       .arg = VMCB_EXIT_ICEBP),
	L2_ROW("no-delivery-ud", no_delivery, do_ud2,
	       .arg = EXIT_OF(VECTOR_UD)),
	L2_ROW("no-delivery-bp", no_delivery, do_int3,
	       .arg = EXIT_OF(VECTOR_BP)),
	L2_ROW("no-delivery-vmmcall", no_delivery, do_vmmcalls,
	       .arg = VMCB_EXIT_VMMCALL),
};

const struct l2_table event_deliveries = L2_TABLE(deliveries);

/* Second faults *************************************************************/

/* .code raises or .arg injects what has no gate. Exit .set, error code .clear,
 * EXITINTINFO .want. Whether an exception is "external" (bit 0), the manual
 * does not say clearly; an interrupt is. */
static void no_gate(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	vmcb_pass(&svm_vmcb, EXIT_OF(VECTOR_GP));
	take_away_gate(VECTOR_INT);
	take_away_gate(VECTOR_GP);
	svm_vmcb.control.event_inj = r->arg;
	l2_expect_exit(r->code, r->set);
	l2_expect("error code", c->exit_info_1 & ~EXTERNAL, r->clear);
	l2_expect("exitintinfo", c->exit_int_info, r->want);
}

static void no_gate_external(const struct l2_row *r)
{
	no_gate(r);
	l2_expect("external", svm_vmcb.control.exit_info_1 & EXTERNAL,
		  EXTERNAL);
}

static void short_idt(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	svm_vmcb.save.idtr.limit = VECTOR_INT * 16;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_GP));
	l2_expect("error code", c->exit_info_1, GATE_CODE(VECTOR_INT));
	l2_expect("exitintinfo", c->exit_int_info, r->want);
}

static void bad_stack(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	vmcb_pass(&svm_vmcb, EXIT_OF(VECTOR_UD));
	svm_vmcb.save.rsp = UNMAPPED + 8;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_PF));
	l2_expect("error code", c->exit_info_1, PF_WRITE);
	l2_expect("address", c->exit_info_2, UNMAPPED);
	l2_expect("exitintinfo", c->exit_int_info, r->want);
}

/* The manual's example in 15.12: #NP, then #GP because #NP's gate is none; #GP
 * and #DF are intercepted. */
static void np_then_gp(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	vmcb_pass(&svm_vmcb, EXIT_OF(VECTOR_NP));
	take_away_gate(VECTOR_INT);
	gate(VECTOR_NP)->type &= (u8)~GATE_TYPE;
	l2_expect_exit(r->code, r->arg);
	if (r->want)
		l2_expect("exitintinfo", c->exit_int_info, r->want);
}

static void np_then_gp_is_df(const struct l2_row *r)
{
	vmcb_pass(&svm_vmcb, EXIT_OF(VECTOR_GP));
	np_then_gp(r);
}

/* Nobody intercepts it: L2's handler gets it, its error code is 0. */
static void df_delivered(const struct l2_row *r)
{
	let_exceptions_pass();
	take_away_gate(VECTOR_GP);
	svm_gate(VECTOR_DF, event_taken);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, TAKEN);
	l2_expect("words", (SVM_GUEST_STACK - svm_vmcb.save.rsp) / 8, 6);
	l2_expect("error code", event_pushed(0, false), 0);
}

static void shut_down(const struct l2_row *r)
{
	let_exceptions_pass();
	svm_vmcb.control.event_inj = r->arg;
	if (!r->arg)
		svm_vmcb.save.idtr.limit = 0;
	take_away_gate(VECTOR_DF);
	l2_expect_exit(r->code, VMCB_EXIT_SHUTDOWN);
	svm_reset();
	l2_expect_exit(event_nop, VMCB_EXIT_VMMCALL);
}

/* Not intercepted, an exception is L2's own. .arg as for event_expect_taken(),
 * .want: how far the return address lies behind .code. */
static void delivered(const struct l2_row *r)
{
	let_exceptions_pass();
	svm_gate((u8)r->arg, event_taken);
	if (l2_expect_exit(r->code, VMCB_EXIT_VMMCALL))
		event_expect_taken(r->arg, (u64)r->code + r->want);
}

/* What L1 intercepts beside it does not matter: .set. */
static void delivered_beside(const struct l2_row *r)
{
	let_exceptions_pass();
	vmcb_intercept(&svm_vmcb, (u32)r->set);
	svm_gate((u8)r->arg, event_taken);
	if (l2_expect_exit(r->code, VMCB_EXIT_VMMCALL))
		event_expect_taken(r->arg, (u64)r->code + r->want);
}

/* The same, and an exit for L1 interrupts the delivery. */
static void lost_beside(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	let_exceptions_pass();
	vmcb_intercept(&svm_vmcb, (u32)r->set);
	*svm_npte(SVM_IDT) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("exitintinfo", c->exit_int_info, r->want);
	l2_expect("rip", svm_vmcb.save.rip, (u64)r->code);
}

static void delivered_page_fault(const struct l2_row *r)
{
	delivered(r);
	l2_expect("cr2", svm_vmcb.save.cr2, UNMAPPED);
}

/* Intercepted, it is so before CR2 is written. */
static void cr2_kept(const struct l2_row *r)
{
	svm_vmcb.save.cr2 = 0x1234;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_PF));
	l2_expect("error code", svm_vmcb.control.exit_info_1, PF_WRITE);
	l2_expect("address", svm_vmcb.control.exit_info_2, UNMAPPED);
	l2_expect("cr2", svm_vmcb.save.cr2, 0x1234);
}

static void cr2_saved(const struct l2_row *r)
{
	svm_vmcb.save.cr2 = 0x1234;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("cr2", svm_vmcb.save.cr2, 0x12345678);
}

#define DELIVERED(name, code_, event, length)                       \
	L2_ROW("delivered-" name, delivered, code_, .arg = (event), \
	       .want = (length))

#define BESIDE(name, what, code_, event, result, intercept)          \
	L2_ROW(#what "-" name, what##_beside, code_, .arg = (event), \
	       .want = (result), .set = (intercept))

static const struct l2_row faults[] = {
	L2_ROW("no-gate-int", no_gate, do_int, .set = EXIT_OF(VECTOR_NP),
	       .clear = GATE_CODE(VECTOR_INT), .want = EVENT(SOFT, VECTOR_INT)),
	L2_ROW("no-gate-gp", no_gate, do_gp, .set = EXIT_OF(VECTOR_NP),
	       .clear = GATE_CODE(VECTOR_GP),
	       .want = EXCEPTION(VECTOR_GP) | WITH_CODE(0)),
	L2_ROW("no-gate-injected-intr", no_gate_external, event_nop,
	       .arg = EVENT(INTR, VECTOR_INT), .set = EXIT_OF(VECTOR_NP),
	       .clear = GATE_CODE(VECTOR_INT), .want = EVENT(INTR, VECTOR_INT)),
	L2_ROW("no-gate-injected-gp", no_gate, event_nop,
	       .arg = EXCEPTION(VECTOR_GP) | WITH_CODE(8),
	       .set = EXIT_OF(VECTOR_NP), .clear = GATE_CODE(VECTOR_GP),
	       .want = EXCEPTION(VECTOR_GP) | WITH_CODE(8)),
	L2_ROW("short-idt-int", short_idt, do_int,
	       .want = EVENT(SOFT, VECTOR_INT)),
	L2_ROW("bad-stack-ud", bad_stack, do_ud2, .want = EXCEPTION(VECTOR_UD)),
	L2_ROW("np-then-gp", np_then_gp, do_int, .arg = EXIT_OF(VECTOR_GP),
	       .want = EXCEPTION(VECTOR_NP) | WITH_CODE(GATE_CODE(VECTOR_INT))),
	L2_ROW("np-then-gp-is-df", np_then_gp_is_df, do_int,
	       .arg = EXIT_OF(VECTOR_DF)),
	L2_ROW("df-delivered", df_delivered, do_gp),
	L2_ROW("shutdown", shut_down, do_ud2),
	L2_ROW("shutdown-by-injected-df", shut_down, event_nop,
	       .arg = EXCEPTION(VECTOR_DF) | WITH_CODE(0)),
	DELIVERED("de", do_div, VECTOR_DE, 2),
	DELIVERED("ud", do_ud2, VECTOR_UD, 0),
	DELIVERED("bp", do_int3, VECTOR_BP, 1),
	DELIVERED("icebp", do_icebp, VECTOR_DB, 1),
	DELIVERED("int", do_int, VECTOR_INT, 2),
	DELIVERED("gp", do_gp, VECTOR_GP | WITH_CODE(0), 9),
	BESIDE("bp-beside-swint", delivered, do_int3, VECTOR_BP, 1,
	       VMCB_EXIT_SWINT),
	BESIDE("int-beside-bp", delivered, do_int, VECTOR_INT, 2,
	       EXIT_OF(VECTOR_BP)),
	BESIDE("bp-beside-swint", lost, do_int3, 0, EXCEPTION(VECTOR_BP),
	       VMCB_EXIT_SWINT),
	BESIDE("int-beside-bp", lost, do_int, 0, EVENT(SOFT, VECTOR_INT),
	       EXIT_OF(VECTOR_BP)),
	L2_ROW("delivered-pf", delivered_page_fault, do_store,
	       .arg = VECTOR_PF | WITH_CODE(PF_WRITE), .want = 10),
	L2_ROW("cr2-kept", cr2_kept, do_store),
	L2_ROW("cr2-saved", cr2_saved, do_set_cr2),
};

const struct l2_table event_faults = L2_TABLE(faults);
