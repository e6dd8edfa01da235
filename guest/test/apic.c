/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest of nestbox.elf can and cannot do with its interrupt controllers,
 * in TAP. Words: nmis=N, how many NMIs the I/O APIC sends.
 */
#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"

#define TESTS	     8
#define IOAPIC	     0xfec00000u
#define PIT_INPUT    2u /* of the I/O APIC, on a PC */
#define ENTRY_MASKED 0x10000u
#define MODE_INIT    0x500u
#define MODE_NMI     0x400u
#define PIT_TURNS    2000u    /* 1.7 ms */
#define WAIT	     3000000u /* TSC ticks, 3 ms under icount */
#define STEP	     3001u    /* so that NMIs meet a tick in any phase */
#define AFTER_STEPS  1000000u
#define IRETQ	     0xcf48 /* its two bytes */

int main(const char *cmdline);

static volatile unsigned nmis, steps, nmis_at_step;
static volatile bool nests;
static volatile u64 second_at;

static void write_entry(u32 input, u64 value)
{
	volatile u32 *io = (volatile u32 *)(u64)IOAPIC;

	io[0] = 0x10 + 2 * input + 1;
	io[4] = (u32)(value >> 32);
	io[0] = 0x10 + 2 * input;
	io[4] = (u32)value;
}

static u32 read_entry(u32 input)
{
	volatile u32 *io = (volatile u32 *)(u64)IOAPIC;

	io[0] = 0x10 + 2 * input;
	return io[4];
}

/* One interrupt of the PIT's channel 0. */
static void start_pit(void)
{
	outb(0x43, 0x30);
	outb(0x40, PIT_TURNS & 0xff);
	outb(0x40, PIT_TURNS >> 8);
}

static void wait(u64 ticks)
{
	for (u64 start = rdtsc(); rdtsc() - start < ticks;)
		pause();
}

static void on_nmi(struct trap_frame *f)
{
	nmis++;
	if (!nests) {
		second_at = f->rip;
		return;
	}
	nests = false;
	apic_send(apic_id(), ICR_ASSERT | ICR_NMI);
	for (unsigned i = 0; i < 100; i++)
		pause();
}

static void on_debug(struct trap_frame *f)
{
	steps++;
	nmis_at_step = nmis;
	if (steps == 4)
		f->rflags &= ~(u64)RFLAGS_TF;
}

/* Each register of xAPIC's page, where x2APIC has nothing. */
static void exchange_page(void *arg)
{
	u32 value = 0;

	__asm__ volatile("xchg %0, %1"
			 : "+r"(value), "+m"(*(volatile u32 *)arg));
}

static void test_page(void)
{
	for (u64 reg = 0; reg < PAGE_SIZE; reg += 16)
		trap_try(exchange_page, (void *)(APIC_PAGE + reg));
	tap_ok(true, "xAPIC's page in x2APIC mode");
}

static void test_base(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	tap_ok(base & APIC_BASE_ENABLE && apic_id() == 0, "APIC 0 is on");
}

static void move_base(void *arg)
{
	(void)arg;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) + PAGE_SIZE);
}

static void test_init(void)
{
	write_entry(PIT_INPUT, MODE_INIT);
	tap_ok(read_entry(PIT_INPUT) & ENTRY_MASKED,
	       "an INIT of the I/O APIC is masked");
	start_pit();
	wait(WAIT);
	tap_ok(true, "and does not come");
}

static void test_nested_nmi(void)
{
	u16 at;

	nmis = 0;
	nests = true;
	apic_send(apic_id(), ICR_ASSERT | ICR_NMI);
	wait(WAIT);
	__builtin_memcpy(&at, (const void *)second_at, sizeof(at));
	tap_ok(nmis == 2 && at != IRETQ,
	       "an NMI in an NMI's handler comes behind its IRET: %u", nmis);
}

/* The #DB of a single step over the NMI's command comes with the NMI. */
static void test_step_and_nmi(void)
{
	nmis = 0;
	idt_handle(VECTOR_DB, on_debug);
	__asm__ volatile("pushfq\n\t"
			 "orl %0, (%%rsp)\n\t"
			 "popfq\n\t"
			 "wrmsr\n\t"
			 "nop; nop; nop; nop"
			 :
			 : "i"(RFLAGS_TF), "a"(ICR_SELF | ICR_ASSERT | ICR_NMI),
			   "d"(0), "c"(MSR_X2APIC + APIC_ICR / 16)
			 : "memory", "cc");
	for (unsigned i = 0; i < AFTER_STEPS && !nmis; i++)
		pause();
	tap_ok(nmis == 1 && steps >= 4, "an NMI beside another event comes: %u",
	       nmis);
}

static void test_hardware_nmis(u64 n)
{
	unsigned lost = 0, twice = 0;

	for (u64 i = 0; i < n; i++) {
		nmis = 0;
		write_entry(PIT_INPUT, MODE_NMI);
		start_pit();
		wait(WAIT + i * STEP);
		lost += !nmis;
		twice += nmis > 1;
	}
	write_entry(PIT_INPUT, ENTRY_MASKED);
	tap_ok(!lost && !twice, "%lu NMIs of the I/O APIC: %u lost, %u twice",
	       n, lost, twice);
}

int main(const char *cmdline)
{
	u64 n = 100;

	if (!cmdline_number(cmdline, "nmis", &n))
		return EXIT_USAGE;
	idt_init();
	apic_init();
	idt_handle(VECTOR_NMI, on_nmi);
	tap_plan(TESTS);
	test_base();
	test_page();
	tap_ok(trap_try(move_base, NULL) == VECTOR_GP,
	       "the APIC's page stays where it is");
	test_init();
	test_nested_nmi();
	test_step_and_nmi();
	test_hardware_nmis(n);
	return tap_done();
}
