/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The global interrupt flag, in TAP: what CLGI holds off and STGI lets in
 * (AMD APM vol. 2, 15.17). Runs on a bare CPU with SVM, and as L1 of a
 * hypervisor that lets it set EFER.SVME (nestbox.elf: option gif). Words:
 * pairs=N, how many CLGI/STGI pairs run against the timer.
 */
#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"

#define TESTS	      14
#define VECTOR_TIMER  0xe1
#define VECTOR_IPI    0xe2
#define PERIOD	      10000u /* TSC ticks: 10 us at 1 GHz, as under icount */
#define LATE	      100u   /* from the deadline until STGI may miss it */
#define PAIRS_DEFAULT 100000ull
#define MAX_PRIORITY  15ull

int main(const char *cmdline);

static volatile unsigned ticks, ipis, nmis, nmis_inside;
static volatile u64 deadline; /* TSC at which the timer fires */
static volatile bool gif, nest_nmi;

static void clgi(void)
{
	__asm__ volatile("clgi" : : : "memory");
	gif = false;
}

/* What is pending comes behind the NOP. */
static void stgi_nop(void)
{
	gif = true;
	__asm__ volatile("stgi; nop" : : : "memory");
}

static void send_self(u32 what)
{
	apic_send(apic_id(), ICR_ASSERT | what);
}

static volatile unsigned wrong; /* deliveries while GIF was 0 */

static void on_timer(struct trap_frame *f)
{
	(void)f;
	ticks++;
	wrong += !gif;
	apic_eoi();
	deadline = rdtsc() + PERIOD;
	apic_timer_arm(PERIOD);
}

static void on_ipi(struct trap_frame *f)
{
	(void)f;
	ipis++;
	wrong += !gif;
	apic_eoi();
}

/* Until IRET no other NMI comes. */
static void on_nmi(struct trap_frame *f)
{
	unsigned before = ++nmis;

	(void)f;
	wrong += !gif;
	if (!nest_nmi)
		return;
	nest_nmi = false;
	send_self(ICR_NMI);
	for (unsigned i = 0; i < 100; i++)
		pause();
	nmis_inside = nmis - before;
}

static void do_clgi(void *unused)
{
	(void)unused;
	__asm__ volatile("clgi; stgi" : : : "memory");
}

static void test_efer(void)
{
	tap_ok(trap_try(do_clgi, NULL) == VECTOR_UD, "without SVME: #UD");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	tap_ok(rdmsr(MSR_EFER) & EFER_SVME, "EFER.SVME stays set");
	tap_ok(trap_try(do_clgi, NULL) == NO_TRAP, "with SVME: no fault");
}

static void test_ipi(void)
{
	__asm__ volatile("sti");
	clgi();
	send_self(ICR_FIXED | VECTOR_IPI);
	for (unsigned i = 0; i < 100; i++)
		pause();
	tap_ok(ipis == 0, "an interrupt waits while GIF is 0, though IF is 1");
	stgi_nop();
	tap_ok(ipis == 1, "and comes right after STGI");
	cli();
	clgi();
	send_self(ICR_FIXED | VECTOR_IPI);
	stgi_nop();
	tap_ok(ipis == 1, "STGI leaves IF alone");
	sti_nop();
	tap_ok(ipis == 2, "which lets it in");
	cli();
}

static void test_priority(void)
{
	write_cr8(MAX_PRIORITY);
	clgi();
	tap_ok(read_cr8() == MAX_PRIORITY, "CLGI keeps CR8");
	send_self(ICR_FIXED | VECTOR_IPI);
	sti_nop();
	stgi_nop();
	tap_ok(ipis == 2, "what CR8 holds off, STGI does not let in");
	clgi();
	write_cr8(0);
	stgi_nop();
	tap_ok(ipis == 3 && read_cr8() == 0,
	       "CR8 written while GIF is 0 counts");
	cli();
}

static void test_nmi(void)
{
	clgi();
	send_self(ICR_NMI);
	send_self(ICR_NMI);
	for (unsigned i = 0; i < 100; i++)
		pause();
	tap_ok(nmis == 0, "NMIs wait while GIF is 0");
	stgi_nop();
	tap_ok(nmis == 1, "two are one after STGI: %u", nmis);
	nest_nmi = true;
	send_self(ICR_NMI);
	for (unsigned i = 0; i < 100 && nmis < 3; i++)
		pause();
	tap_ok(nmis == 3 && nmis_inside == 0,
	       "one in an NMI's handler waits for its end: %u, %u inside", nmis,
	       nmis_inside);
}

/* A pair, GIF off for a while that varies. True: the timer's interrupt came
 * if and only if it was due. */
static bool pair(unsigned turn)
{
	unsigned before;
	bool held, due;

	clgi();
	before = ticks;
	for (unsigned i = turn % 61; i; i--)
		pause();
	held = ticks == before;
	due = rdtsc() > deadline + LATE;
	stgi_nop();
	return held && (!due || ticks > before);
}

static void test_timer(u64 pairs)
{
	unsigned bad = 0, seen = 0;
	u64 held = 0;

	apic_timer_start(VECTOR_TIMER);
	deadline = rdtsc() + PERIOD;
	apic_timer_arm(PERIOD);
	__asm__ volatile("sti");
	for (u64 i = 0; i < pairs; i++) {
		seen = ticks;
		bad += !pair((unsigned)i);
		held += ticks > seen;
	}
	cli();
	apic_timer_stop();
	tap_ok(!bad && !wrong && held > pairs / 100,
	       "%lu pairs, a timer of 10 us: %u ticks, %lu at an STGI, "
	       "%u lost, %u while GIF was 0",
	       pairs, ticks, held, bad, wrong);
}

int main(const char *cmdline)
{
	u64 pairs = PAIRS_DEFAULT;

	if (!cmdline_number(cmdline, "pairs", &pairs))
		return EXIT_USAGE;
	idt_init();
	apic_init();
	idt_handle(VECTOR_TIMER, on_timer);
	idt_handle(VECTOR_IPI, on_ipi);
	idt_handle(VECTOR_NMI, on_nmi);
	gif = true;
	tap_plan(TESTS);
	test_efer();
	test_ipi();
	test_priority();
	test_nmi();
	test_timer(pairs);
	return tap_done();
}
