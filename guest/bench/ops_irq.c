/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with interrupts: timer, IPIs, waking up from HLT. */
#include "guest/bench/op.h"

#include "guest/lib/apic.h"
#include "lib/cpu.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/smp.h"

#define VECTOR_TIMER 0xe1
#define VECTOR_IPI   0xe2
#define VECTOR_REPLY 0xe3
#define PEER	     1 /* the CPU that receives IPIs */

/* Long enough never to fire in a series (2 s at 1 GHz). */
#define FAR_TICKS 0x7fffffffu

/*
 * 20 us where the timer ticks at 1 GHz: TCG's TSC, QEMU's and KVM's APIC.
 * Longer, and KVM's adaptive polling before it idles makes the cost vary a
 * hundredfold; shorter than arming takes (as in an L2), and HLT finds the
 * interrupt waiting: then this is arming, HLT and delivery without a sleep.
 */
#define WAKE_TICKS 20000u

/* Turns until an interrupt counts as lost; below, others may run meanwhile. */
#define WAIT_TURNS 20000000u

static volatile unsigned received;
static volatile bool stop;

static void count(struct trap_frame *frame)
{
	(void)frame;
	received++;
	apic_eoi();
}

/* On the peer: answers the first CPU, which counts the answer. */
static void reply(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
	apic_send(smp_apic_id(0), ICR_FIXED | ICR_ASSERT | VECTOR_REPLY);
}

static const char *setup_timer(u64 runs)
{
	(void)runs;
	apic_timer_start(VECTOR_TIMER);
	return NULL;
}

static void run_timer(void)
{
	apic_timer_arm(FAR_TICKS);
}

const struct op op_timer = {
	.name = "timer",
	.doc = "program the APIC timer, far in the future",
	.setup = setup_timer,
	.run = run_timer,
	.teardown = apic_timer_stop,
};

static const char *setup_self_ipi(u64 runs)
{
	(void)runs;
	idt_handle(VECTOR_IPI, count);
	return NULL;
}

static void run_self_ipi(void)
{
	unsigned before = received;

	apic_send(0, ICR_SELF | ICR_ASSERT | ICR_FIXED | VECTOR_IPI);
	for (unsigned turn = 0; received == before; turn++) {
		if (turn == WAIT_TURNS)
			bench_fail("ipi lost", EXIT_LOST);
		sti_nop();
	}
	cli();
}

const struct op op_self_ipi = {
	.name = "self_ipi",
	.doc = "IPI to the own CPU, until its handler has run",
	.setup = setup_self_ipi,
	.run = run_self_ipi,
};

/*
 * Where both CPUs share one CPU of the level below, this and the sender's
 * own loop burn whole time slices; look at the levels below only, or use
 * ipi_halt.
 */
static void spin(void *unused)
{
	(void)unused;
	sti_nop();
	while (!stop)
		pause();
	cli();
}

static void halt(void *unused)
{
	(void)unused;
	while (!stop) {
		sti_hlt();
		cli();
	}
}

static void send_to_peer(void)
{
	unsigned before = received;

	apic_send(smp_apic_id(PEER), ICR_FIXED | ICR_ASSERT | VECTOR_IPI);
	for (unsigned turn = 0; received == before; turn++) {
		if (turn == WAIT_TURNS)
			bench_fail("ipi lost", EXIT_LOST);
		pause();
	}
}

static void wait_for_end(void)
{
	if (!smp_wait(PEER))
		bench_fail("second CPU lost", EXIT_LOST);
}

/* The sender halts: where both virtual CPUs share one CPU, spinning would
 * only wait for the scheduler's next tick. */
static void send_and_await_reply(void)
{
	unsigned before = received;

	apic_send(smp_apic_id(PEER), ICR_FIXED | ICR_ASSERT | VECTOR_IPI);
	while (received == before) {
		sti_hlt();
		cli();
	}
}

/* The first IPI is awaited: then the peer is known to be in its loop. */
static const char *setup_ipi(u64 runs)
{
	(void)runs;
	idt_handle(VECTOR_IPI, reply);
	idt_handle(VECTOR_REPLY, count);
	stop = false;
	smp_run(PEER, spin, NULL);
	send_and_await_reply();
	return NULL;
}

static void teardown_ipi(void)
{
	stop = true;
	wait_for_end();
}

static const char *setup_ipi_halt(u64 runs)
{
	(void)runs;
	idt_handle(VECTOR_IPI, count);
	stop = false;
	smp_run(PEER, halt, NULL);
	send_to_peer();
	return NULL;
}

static void teardown_ipi_halt(void)
{
	stop = true;
	send_to_peer();
	wait_for_end();
}

const struct op op_ipi = {
	.name = "ipi",
	.doc = "IPI to a CPU that spins, and its answer by IPI, awaited in HLT",
	.setup = setup_ipi,
	.run = send_and_await_reply,
	.teardown = teardown_ipi,
	.needs = NEEDS_TWO_CPUS,
};

const struct op op_ipi_halt = {
	.name = "ipi_halt",
	.doc = "IPI to a CPU in HLT, until its handler has run",
	.setup = setup_ipi_halt,
	.run = send_to_peer,
	.teardown = teardown_ipi_halt,
	.needs = NEEDS_TWO_CPUS,
};

/* HLT cannot be bounded, so see first, by polling, that the timer fires. */
static const char *setup_idle_wake(u64 runs)
{
	unsigned before = received;
	unsigned turn = 0;

	(void)runs;
	idt_handle(VECTOR_TIMER, count);
	apic_timer_start(VECTOR_TIMER);
	apic_timer_arm(WAKE_TICKS);
	for (; received == before && turn < WAIT_TURNS; turn++)
		sti_nop();
	cli();
	if (received != before)
		return NULL;
	apic_timer_stop();
	return "the APIC timer does not fire";
}

static void run_idle_wake(void)
{
	unsigned before = received;

	apic_timer_arm(WAKE_TICKS);
	while (received == before) {
		sti_hlt();
		cli();
	}
}

const struct op op_idle_wake = {
	.name = "idle_wake",
	.doc = "arm the APIC timer 20000 ticks ahead, HLT until it wakes us",
	.setup = setup_idle_wake,
	.run = run_idle_wake,
	.teardown = apic_timer_stop,
};
