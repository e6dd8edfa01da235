/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test/svm_l1.h"

#include "guest/lib/apic.h"
#include "guest/lib/idt.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"

#define DR7_RESET 0x400ull

volatile unsigned l1_interrupts, l1_ticks, l1_nmis;

static void on_interrupt(struct trap_frame *f)
{
	(void)f;
	l1_interrupts++;
	apic_eoi();
}

static void on_tick(struct trap_frame *f)
{
	(void)f;
	l1_ticks++;
	apic_eoi();
}

static void on_nmi(struct trap_frame *f)
{
	(void)f;
	l1_nmis++;
}

static void on_soft(struct trap_frame *f)
{
	(void)f;
}

void l1_init(void)
{
	apic_init();
	idt_handle(L1_VECTOR, on_interrupt);
	idt_handle(L1_VECTOR_TIMER, on_tick);
	idt_handle(VECTOR_NMI, on_nmi);
	idt_handle(L1_VECTOR_SOFT, on_soft);
}

void l1_open(void)
{
	sti_nop();
	cli();
}

/* CR8 is written last and only if it has to be: below a hypervisor that waits
 * for a window, QEMU stops at it. */
void l1_settle(void)
{
	apic_timer_stop();
	__asm__ volatile("mov %0, %%dr7" : : "r"(DR7_RESET));
	svm_stgi();
	__asm__ volatile("int %0" : : "i"(L1_VECTOR_SOFT) : "memory");
	apic_eoi(); /* of one that L2 took */
	cpuid(0,
	      0); /* exits: what a wrong hypervisor has forgotten comes now */
	l1_open();
	if (read_cr8()) {
		write_cr8(0);
		l1_open();
	}
	l1_interrupts = 0;
	l1_ticks = 0;
	l1_nmis = 0;
}

void l1_send_interrupt(void)
{
	apic_send(0, ICR_SELF | ICR_ASSERT | ICR_FIXED | L1_VECTOR);
}

void l1_send_nmi(void)
{
	apic_send(apic_id(), ICR_ASSERT | ICR_NMI);
}

u64 l1_run(svm_code *code)
{
	int trap;

	svm_vmcb.save.rip = (u64)(code ? code : svm_handler);
	trap = svm_run_raw();
	if (trap != NO_TRAP)
		return L2_TRAPPED | (u32)trap;
	return svm_vmcb.control.exit_code;
}

u64 l1_run_open(svm_code *code)
{
	u64 exit;

	svm_clgi();
	__asm__ volatile("sti" : : : "memory");
	exit = l1_run(code);
	cli();
	return exit;
}
