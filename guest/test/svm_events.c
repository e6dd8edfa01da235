/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Injection, virtual interrupts, GIF and interrupt shadows (APM vol. 2,
 * 15.17, 15.20 and 15.21).
 */
#include "guest/test/svm_probe.h"

#include "guest/lib/apic.h"
#include "lib/cpu.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"

#define ICR_NMI	       0x00400
#define VECTOR_VIRTUAL 0x40
#define VECTOR_SELF    0xe2
#define TIMER_TICKS    10000
#define PRIORITY(n)    ((u32)(n) << VMCB_V_PRIO_SHIFT)
#define ERROR_CODE     0x1230ull

SVM_CODE(do_nops, "nop; nop")
SVM_CODE(do_ud2, "ud2")
SVM_CODE(do_int, "int $0x41")
SVM_CODE(do_sti_cpuid, "sti; cpuid")
SVM_CODE(do_clgi, "clgi")
SVM_CODE(do_count, "inc %rbx; mov $20000, %ecx; 1: dec %ecx; jnz 1b")

static volatile unsigned nmis, interrupts;

static void count_nmi(struct trap_frame *f)
{
	(void)f;
	nmis++;
}

static void count_interrupt(struct trap_frame *f)
{
	(void)f;
	interrupts++;
	apic_eoi();
}

static void send_interrupt(void)
{
	interrupts = 0;
	idt_handle(VECTOR_SELF, count_interrupt);
	apic_send(0, ICR_SELF | ICR_ASSERT | ICR_FIXED | VECTOR_SELF);
}

/* Leaves GIF clear and an NMI waiting for it. */
static void hold_nmi(void)
{
	nmis = 0;
	idt_handle(VECTOR_NMI, count_nmi);
	svm_clgi();
	apic_send(apic_id(), ICR_ASSERT | ICR_NMI);
}

static void inject(u64 event)
{
	svm_vmcb.control.event_inj = event | VMCB_EVENT_VALID;
}

/* Injection ****************************************************************/

/* Injects .arg; says how many words the guest's handler finds. */
static void frame(const struct probe *p)
{
	u64 code;

	inject(p->arg);
	code = probe_exit(p);
	if (code != VMCB_EXIT_VMMCALL || svm_vmcb.save.rip != (u64)svm_handler)
		probe_print_exit(code, VMCB_EXIT_VMMCALL, "not-delivered");
	else
		serial_printf("%lu", (SVM_GUEST_STACK - svm_vmcb.save.rsp) / 8);
}

/* Injects .arg, whose handler (p->code) counts itself in RBX and is then busy
 * with interrupts off. Meanwhile a timer of the host is due, which ends the
 * emulator's time slice: QEMU then delivers the interrupt a second time. */
static void injected_times(const struct probe *p)
{
	u64 code;

	svm_gate(VECTOR_VIRTUAL, p->code);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	inject(p->arg);
	idt_handle(VECTOR_SELF, count_interrupt);
	apic_timer_start(VECTOR_SELF);
	apic_timer_arm(TIMER_TICKS);
	sti_nop();
	code = probe_exit(p);
	sti_nop();
	cli();
	apic_timer_stop();
	if (code != VMCB_EXIT_INTR) {
		probe_print_exit(code, VMCB_EXIT_INTR, "");
		return;
	}
	svm_run_raw();
	svm_stgi();
	serial_printf("%lu", svm_regs.rbx);
}

static void error_code(const struct probe *p)
{
	inject(p->arg);
	probe_exit(p);
	probe_number(*(u64 *)svm_vmcb.save.rsp);
}

static void injected_valid(const struct probe *p)
{
	inject(p->arg);
	probe_exit(p);
	probe_say(svm_vmcb.control.event_inj & VMCB_EVENT_VALID ? "still-valid"
								: "cleared");
}

/* What an exit says about the event whose delivery it interrupted: the IDT
 * is taken away, so that the delivery ends in a nested page fault. */
static void lost_event(const struct probe *p)
{
	u64 code;

	*svm_npte(SVM_IDT) = 0;
	code = probe_exit(p);
	if (code == VMCB_EXIT_NPF)
		probe_number(svm_vmcb.control.exit_int_info);
	else
		probe_print_exit(code, VMCB_EXIT_NPF, "");
}

static void lost_injected(const struct probe *p)
{
	inject(p->arg);
	lost_event(p);
}

static void lost_exception(const struct probe *p)
{
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 0;
	lost_event(p);
}

static void set_virtual(u32 priority_and_tpr)
{
	svm_vmcb.control.int_ctl = VMCB_V_IRQ | priority_and_tpr;
	svm_vmcb.control.int_vector = VECTOR_VIRTUAL;
	svm_vmcb.save.rflags |= RFLAGS_IF;
}

static void lost_virtual(const struct probe *p)
{
	set_virtual(PRIORITY(15));
	lost_event(p);
}

/* The CPU has acknowledged the interrupt: its APIC waits for an EOI. */
static void lost_interrupt(const struct probe *p)
{
	send_interrupt();
	svm_vmcb.save.rflags |= RFLAGS_IF;
	lost_event(p);
	apic_eoi();
}

/* Virtual interrupts *******************************************************/

static void virtual_delivered(const struct probe *p)
{
	set_virtual(PRIORITY(15));
	probe_exit(p);
	if (svm_vmcb.save.rip != (u64)svm_handler)
		probe_say("not-delivered");
	else
		probe_say(svm_vmcb.control.int_ctl & VMCB_V_IRQ ? "still-set"
								: "taken");
}

/* .arg: priority and V_TPR. */
static void virtual_window(const struct probe *p)
{
	set_virtual((u32)p->arg | VMCB_V_INTR_MASKING);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VINTR);
	probe_print_exit(probe_exit(p), VMCB_EXIT_VINTR, "exit");
}

static void shadow_loaded(const struct probe *p)
{
	set_virtual(PRIORITY(15));
	svm_vmcb.control.int_state = VMCB_SHADOW;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VINTR);
	if (probe_exit(p) == VMCB_EXIT_VINTR)
		probe_say(svm_vmcb.save.rip == (u64)p->code ? "ignored"
							    : "honoured");
	else
		probe_say("no-exit");
}

static void shadow_saved(const struct probe *p)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	probe_exit(p);
	probe_say(svm_vmcb.control.int_state & VMCB_SHADOW ? "saved" : "lost");
}

/* GIF and NMI **************************************************************/

static void gif_after_exit(const struct probe *p)
{
	unsigned early;

	svm_vmcb.save.rip = (u64)(p->code ? p->code : svm_handler);
	send_interrupt();
	svm_run_raw();
	sti_nop();
	cli();
	early = interrupts;
	svm_stgi();
	sti_nop();
	cli();
	if (interrupts != 1)
		serial_printf("interrupts-%u", interrupts);
	else
		probe_say(early ? "set" : "clear");
}

static void gif_in_guest(const struct probe *p)
{
	u64 code;

	hold_nmi();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	code = probe_exit(p);
	probe_print_exit(code, VMCB_EXIT_NMI, "set");
	if (nmis != 1)
		serial_printf("-nmis-%u", nmis);
}

static void injected_nmi(const struct probe *p)
{
	u64 code;

	hold_nmi();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	inject(VMCB_EVENT_NMI | VECTOR_NMI);
	code = probe_exit(p);
	if (code == VMCB_EXIT_VMMCALL)
		probe_say("blocks");
	else
		probe_print_exit(code, VMCB_EXIT_NMI, "blocks-not");
	if (nmis != 1)
		serial_printf("-nmis-%u", nmis);
}

static void virtual_gif(const struct probe *p)
{
	svm_vmcb.control.int_ctl = VMCB_V_GIF_ENABLE | VMCB_V_GIF;
	if (probe_exit(p) != VMCB_EXIT_VMMCALL)
		probe_say("no");
	else
		probe_say(svm_vmcb.control.int_ctl & VMCB_V_GIF ? "no" : "yes");
}

static const struct probe probes[] = {
	PROBE("inject-gp-ev1", "6", frame, NULL,
	      .arg = VMCB_EVENT_EXCEPTION | VMCB_EVENT_ERROR | VECTOR_GP),
	PROBE("inject-gp-ev0", "5", frame, NULL,
	      .arg = VMCB_EVENT_EXCEPTION | VECTOR_GP),
	PROBE("inject-interrupt", "5", frame, NULL,
	      .arg = VMCB_EVENT_INTR | VECTOR_VIRTUAL),
	PROBE("inject-interrupt-times", "1", injected_times, do_count,
	      .arg = VMCB_EVENT_INTR | VECTOR_VIRTUAL),
	PROBE("inject-error-code", "0x1230", error_code, NULL,
	      .arg = VMCB_EVENT_EXCEPTION | VMCB_EVENT_ERROR | VECTOR_GP |
		     ERROR_CODE << 32),
	PROBE("inject-valid-after", "cleared", injected_valid, NULL,
	      .arg = VMCB_EVENT_EXCEPTION | VECTOR_UD),
	PROBE("lost-injected", "0x80000040", lost_injected, NULL,
	      .arg = VMCB_EVENT_INTR | VECTOR_VIRTUAL),
	PROBE("lost-injected-nmi", "0x80000202", lost_injected, NULL,
	      .arg = VMCB_EVENT_NMI | VECTOR_NMI),
	PROBE("lost-virtual", "0x80000040", lost_virtual, do_nops),
	PROBE("lost-interrupt", "0x800000e2", lost_interrupt, do_nops),
	PROBE("lost-exception", "0x80000306", lost_exception, do_ud2),
	PROBE("lost-soft-int", "0x80000441", lost_exception, do_int),
	PROBE("virtual-delivered", "taken", virtual_delivered, do_nops),
	PROBE("virtual-prio-above-tpr", "exit", virtual_window, do_nops,
	      .arg = PRIORITY(5) | 4),
	PROBE("virtual-prio-equals-tpr", "none", virtual_window, do_nops,
	      .arg = PRIORITY(4) | 4),
	PROBE("virtual-prio-below-tpr", "none", virtual_window, do_nops,
	      .arg = PRIORITY(3) | 4),
	PROBE("virtual-ignore-tpr", "exit", virtual_window, do_nops,
	      .arg = PRIORITY(3) | 4 | VMCB_V_IGN_TPR),
	PROBE("shadow-loaded", "honoured", shadow_loaded, do_nops),
	PROBE("shadow-saved", "saved", shadow_saved, do_sti_cpuid),
	PROBE("gif-after-exit", "clear", gif_after_exit, NULL),
	PROBE("gif-in-guest", "set", gif_in_guest, do_nops),
	/* 15.20: an injected NMI does not block the next one */
	PROBE("inject-nmi", "blocks-not", injected_nmi, do_nops),
	PROBE("virtual-gif", "yes", virtual_gif, do_clgi),
};

const struct probe_table probe_events = {probes, ARRAY_SIZE(probes)};
