/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of L2 (AMD APM vol. 2, 15.7.2, 15.12 and 15.20): what EVENTINJ
 * injects; svm_event_faults.c: what EXITINTINFO tells of a delivery that an
 * exit interrupts, exceptions that nobody intercepts, double and triple faults.
 */
#include "guest/test/svm_event.h"

#include "guest/lib/idt.h"
#include "guest/test/svm_l1.h"
#include "lib/cpu.h"

int main(const char *cmdline);

SVM_CODE(do_cr2, "mov %cr2, %rcx; mov $0x7a, %ebx")

__attribute__((naked)) void event_taken(void)
{
	__asm__ volatile("mov $0x7a, %ebx; vmmcall");
}

__attribute__((naked)) void event_nop(void)
{
	__asm__ volatile("nop; nop; vmmcall");
}

u8 event_vector(u64 event)
{
	return (event & VMCB_EVENT_TYPE) == VMCB_EVENT_NMI ? VECTOR_NMI
							   : (u8)event;
}

u64 event_pushed(unsigned word, bool code)
{
	return ((u64 *)svm_vmcb.save.rsp)[word + code];
}

void event_expect_taken(u64 event, u64 rip)
{
	bool code = event & VMCB_EVENT_ERROR;

	l2_expect("handler", svm_regs.rbx, TAKEN);
	if (!l2_expect("words", (SVM_GUEST_STACK - svm_vmcb.save.rsp) / 8,
		       5 + code))
		return;
	l2_expect("rip", event_pushed(0, code), rip);
	if (code)
		l2_expect("error code", event_pushed(0, false), event >> 32);
}

/* Injection *****************************************************************/

/* Injects .arg. .set: RFLAGS, .clear: an intercept. */
static void inject(const struct l2_row *r)
{
	svm_gate(event_vector(r->arg), event_taken);
	svm_vmcb.control.event_inj = r->arg;
	svm_vmcb.save.rflags |= r->set;
	if (r->clear)
		vmcb_intercept(&svm_vmcb, (u32)r->clear);
	if (l2_expect_exit(event_nop, VMCB_EXIT_VMMCALL))
		event_expect_taken(r->arg, (u64)event_nop);
}

/* What returns behind its instruction: to next_rip. */
static void inject_soft(const struct l2_row *r)
{
	u64 next = (u64)event_nop + 1;

	svm_gate((u8)r->arg, event_taken);
	svm_vmcb.control.event_inj = r->arg;
	svm_vmcb.control.next_rip = next;
	if (r->clear)
		vmcb_intercept(&svm_vmcb, (u32)r->clear);
	if (l2_expect_exit(event_nop, VMCB_EXIT_VMMCALL))
		event_expect_taken(r->arg, next);
}

static void inject_refused(const struct l2_row *r)
{
	svm_vmcb.control.event_inj = r->arg;
	l2_expect_exit(event_nop, VMCB_EXIT_INVALID);
}

static void inject_nothing(const struct l2_row *r)
{
	svm_vmcb.control.event_inj = r->arg;
	l2_expect_exit(event_nop, VMCB_EXIT_VMMCALL);
	l2_expect("rsp", svm_vmcb.save.rsp, SVM_GUEST_STACK);
}

static void inject_flags(const struct l2_row *r)
{
	inject(r);
	l2_expect("pushed flags", event_pushed(2, false) & ~(u64)RFLAGS_RF,
		  RFLAGS_FIXED | r->set);
	l2_expect("flags", svm_vmcb.save.rflags & RFLAGS_IF, 0);
}

static void inject_in_shadow(const struct l2_row *r)
{
	svm_vmcb.control.int_state = VMCB_SHADOW;
	inject(r);
	l2_expect("shadow", svm_vmcb.control.int_state, 0);
}

static void inject_cr2(const struct l2_row *r)
{
	svm_gate(VECTOR_PF, do_cr2);
	svm_vmcb.control.event_inj = r->arg;
	svm_vmcb.save.cr2 = UNMAPPED;
	if (l2_expect_exit(event_nop, VMCB_EXIT_VMMCALL))
		event_expect_taken(r->arg, (u64)event_nop);
	l2_expect("cr2", svm_regs.rcx, UNMAPPED);
}

static void inject_debug(const struct l2_row *r)
{
	u64 dr6 = svm_vmcb.save.dr6, dr7 = svm_vmcb.save.dr7;

	inject(r);
	l2_expect("dr6", svm_vmcb.save.dr6, dr6);
	l2_expect("dr7", svm_vmcb.save.dr7, dr7);
}

/* EVENTINJ is used up: the next VMRUN does not inject it again. */
static void inject_once(const struct l2_row *r)
{
	inject(r);
	l2_expect("valid", svm_vmcb.control.event_inj & PRESENT, 0);
	svm_regs.rbx = 0;
	l2_expect_exit(event_nop, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rbx, 0);
}

/* "An injected NMI does not block delivery of further NMIs." */
static void inject_nmi_then_nmi(const struct l2_row *r)
{
	svm_gate(VECTOR_NMI, event_taken);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	svm_vmcb.control.event_inj = r->arg;
	svm_clgi();
	l1_send_nmi();
	l2_expect("exit", l1_run(event_nop), VMCB_EXIT_NMI);
	l2_expect("in the handler", svm_vmcb.save.rip, (u64)event_taken);
	l1_settle();
}

#define INJECT(name, vector) \
	L2_ROW("inject-" name, inject, NULL, .arg = EXCEPTION(vector))
#define INJECT_CODE(name, vector, code)      \
	L2_ROW("inject-" name, inject, NULL, \
	       .arg = EXCEPTION(vector) | WITH_CODE(code))
#define REFUSED(name, event) \
	L2_ROW("inject-" name, inject_refused, NULL, .arg = PRESENT | (event))

static const struct l2_row rows[] = {
	INJECT("de", VECTOR_DE),
	INJECT("ud", VECTOR_UD),
	INJECT("nm", VECTOR_NM),
	INJECT("mf", VECTOR_MF),
	INJECT("mc", VECTOR_MC),
	INJECT("xf", VECTOR_XF),
	INJECT_CODE("df", VECTOR_DF, 0),
	INJECT_CODE("ts", VECTOR_TS, 0x28),
	INJECT_CODE("np", VECTOR_NP, 0x30),
	INJECT_CODE("ss", VECTOR_SS, 0x38),
	INJECT_CODE("gp", VECTOR_GP, 0xfff8),
	INJECT_CODE("ac", VECTOR_AC, 0),
	INJECT_CODE("pf", VECTOR_PF, 0x1f),
	INJECT("gp-without-code", VECTOR_GP),
	INJECT("pf-without-code", VECTOR_PF),
	INJECT_CODE("ud-with-code", VECTOR_UD, 0x40),
	L2_ROW("inject-pf-cr2", inject_cr2, NULL,
	       .arg = EXCEPTION(VECTOR_PF) | WITH_CODE(2)),
	L2_ROW("inject-db", inject_debug, NULL, .arg = EXCEPTION(VECTOR_DB)),
	L2_ROW("inject-bp", inject_soft, NULL, .arg = EXCEPTION(VECTOR_BP),
	       .needs = SVM_NRIPS),
	L2_ROW("inject-soft", inject_soft, NULL, .arg = EVENT(SOFT, VECTOR_INT),
	       .needs = SVM_NRIPS),
	L2_ROW("inject-soft-14", inject_soft, NULL,
	       .arg = EVENT(SOFT, VECTOR_PF), .needs = SVM_NRIPS),
	L2_ROW("inject-soft-255", inject_soft, NULL, .arg = EVENT(SOFT, 255),
	       .needs = SVM_NRIPS),
	L2_ROW("inject-soft-intercepted", inject_soft, NULL,
	       .arg = EVENT(SOFT, VECTOR_INT), .clear = VMCB_EXIT_SWINT,
	       .needs = SVM_NRIPS),
	L2_ROW("inject-intr", inject, NULL, .arg = EVENT(INTR, 0x20)),
	L2_ROW("inject-intr-255", inject, NULL, .arg = EVENT(INTR, 255)),
	L2_ROW("inject-intr-13", inject, NULL, .arg = EVENT(INTR, VECTOR_GP)),
	L2_ROW("inject-intr-if", inject_flags, NULL,
	       .arg = EVENT(INTR, VECTOR_INT), .set = RFLAGS_IF),
	L2_ROW("inject-intr-if-clear", inject_flags, NULL,
	       .arg = EVENT(INTR, VECTOR_INT)),
	L2_ROW("inject-intr-intercepted", inject, NULL,
	       .arg = EVENT(INTR, VECTOR_INT), .clear = VMCB_EXIT_INTR),
	L2_ROW("inject-intr-in-shadow", inject_in_shadow, NULL,
	       .arg = EVENT(INTR, VECTOR_INT)),
	L2_ROW("inject-nmi", inject, NULL, .arg = EVENT(NMI, VECTOR_NMI)),
	L2_ROW("inject-nmi-other-vector", inject, NULL,
	       .arg = EVENT(NMI, VECTOR_INT)),
	L2_ROW("inject-nmi-intercepted", inject, NULL,
	       .arg = EVENT(NMI, VECTOR_NMI), .clear = VMCB_EXIT_NMI),
	L2_ROW("inject-nmi-blocks-none", inject_nmi_then_nmi, NULL,
	       .arg = EVENT(NMI, VECTOR_NMI)),
	L2_ROW("inject-once", inject_once, NULL, .arg = EXCEPTION(VECTOR_UD)),
	L2_ROW("inject-invalid-ignored", inject_nothing, NULL, .arg = ~PRESENT),
	REFUSED("type-1", 0x100 | VECTOR_UD),
	REFUSED("type-5", 0x500 | VECTOR_UD),
	REFUSED("type-6", 0x600 | VECTOR_UD),
	REFUSED("type-7", 0x700 | VECTOR_UD),
	REFUSED("exception-2", VMCB_EVENT_EXCEPTION | VECTOR_NMI),
	REFUSED("exception-31", VMCB_EVENT_EXCEPTION | 31),
	REFUSED("exception-32", VMCB_EVENT_EXCEPTION | 32),
	REFUSED("exception-255", VMCB_EVENT_EXCEPTION | 255),
	REFUSED("br-in-64-bit", VMCB_EVENT_EXCEPTION | VECTOR_BR),
};

const struct l2_table event_injections = L2_TABLE(rows);

int main(const char *cmdline)
{
	const struct l2_table tables[] = {event_injections, event_deliveries,
					  event_faults};

	idt_init();
	l1_init();
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
