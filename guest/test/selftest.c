/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests the guest library itself, in TAP. Meant for a bare (emulated) CPU,
 * where nothing between it and the library can be at fault; with one CPU
 * the IPI tests are skipped.
 */
#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "lib/cpu.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/multiboot.h"
#include "guest/lib/page.h"
#include "guest/lib/pci.h"
#include "guest/lib/serial.h"
#include "guest/lib/smp.h"
#include "lib/string.h"
#include "guest/lib/tap.h"
#include "lib/fmt.h"

#define TESTS	      30
#define VECTOR_TIMER  0xe1
#define VECTOR_IPI    0xe2
#define VECTOR_PONG   0xe3
#define TIMER_TICKS   100000u
#define WAIT_TURNS    20000000u
#define SCRATCH	      (32ull << 20) /* RAM that nothing uses */
#define BEYOND	      (5ull << 30)  /* outside of the identity map */
#define NOT_CANONICAL (1ull << 63)
#define HOST_BRIDGE   0x1237 /* of QEMU's "pc" */
#define VENDOR_INTEL  0x8086

int main(const char *cmdline);

static volatile unsigned hits[SMP_MAX_CPUS];

/* Waits with interrupts on until *counter is no longer @before. */
static bool changes(volatile unsigned *counter, unsigned before)
{
	unsigned turn = 0;

	for (; *counter == before && turn < WAIT_TURNS; turn++) {
		sti_nop();
		pause();
	}
	cli();
	return *counter != before;
}

/* Formatting and the command line ******************************************/

static void test_fmt(void)
{
	char buf[64];
	size_t len = fmt_format(buf, sizeof(buf), "%5d|%-4u|%08lx|%s|%c|%%", -7,
				42u, 0xbeeful, "text", 'q');

	tap_ok(!memcmp(buf, "   -7|42  |0000beef|text|q|%", len + 1),
	       "fmt: conversions: %s", buf);
	len = fmt_format(buf, 4, "%s", "longer");
	tap_ok(len == 6 && !memcmp(buf, "lon", 4), "fmt: cut, length is whole");
}

static void test_cmdline(void)
{
	const char *line = "/boot/x.elf  n=12 ops=a,,bc hex=0x1F nn=3 bad=1z";
	struct word list = cmdline_find(line, "ops");
	struct word item;
	u64 n = 7;

	tap_ok(word_is(list, "a,,bc"), "cmdline: value found");
	tap_ok(word_next_item(&list, &item) && word_is(item, "a"),
	       "cmdline: first item of a list");
	tap_ok(word_next_item(&list, &item) && word_is(item, "bc") &&
		       !word_next_item(&list, &item),
	       "cmdline: last item, empty one skipped");
	tap_ok(cmdline_number(line, "n", &n) && n == 12, "cmdline: number");
	tap_ok(cmdline_number(line, "hex", &n) && n == 0x1f,
	       "cmdline: hexadecimal number");
	tap_ok(cmdline_number(line, "none", &n) && n == 0x1f,
	       "cmdline: a missing number leaves the default");
	tap_ok(!cmdline_number(line, "bad", &n), "cmdline: no number");
	tap_ok(!cmdline_find(line, "op").text && !cmdline_find("", "n").text,
	       "cmdline: keys are compared whole");
}

/* Exceptions ***************************************************************/

static volatile u64 seen_vector, seen_address;

static void note_trap(struct trap_frame *f)
{
	seen_vector = f->vector;
}

/* Repairs the cause, as an operating system does, and lets it try again. */
static void note_page_fault(struct trap_frame *f)
{
	seen_vector = f->vector;
	seen_address = read_cr2();
	page_map(SCRATCH, SCRATCH, PTE_TABLE);
}

static void read_msr(void *msr)
{
	rdmsr((u32)(u64)msr);
}

static void undefined(void *unused)
{
	(void)unused;
	ud2();
}

static void touch(void *address)
{
	*(volatile u8 *)address = 1;
}

static void test_traps(void)
{
	idt_handle(VECTOR_BP, note_trap);
	int3();
	tap_ok(seen_vector == VECTOR_BP, "idt: breakpoint handler");
	tap_ok(idt_handle(VECTOR_BP, NULL) == note_trap,
	       "idt: the old handler is returned");
	tap_ok(trap_try(read_msr, (void *)(u64)MSR_APIC_BASE) == NO_TRAP,
	       "trap_try: RDMSR that works");
	tap_ok(trap_try(undefined, NULL) == VECTOR_UD, "trap_try: #UD");
	tap_ok(trap_try(undefined, NULL) == VECTOR_UD, "trap_try: again");
	/* Not by RDMSR: emulators let one read MSRs that do not exist. */
	tap_ok(trap_try(touch, (void *)NOT_CANONICAL) == VECTOR_GP,
	       "trap_try: #GP, with an error code");
}

static void test_pages(void)
{
	volatile u32 *a = (volatile u32 *)SCRATCH;
	volatile u32 *b = (volatile u32 *)(SCRATCH + PAGE_SIZE);

	*a = 1;
	*b = 2;
	tap_ok(!page_map(SCRATCH, SCRATCH + PAGE_SIZE, PTE_TABLE) && *a == 2,
	       "page: mapped elsewhere");
	tap_ok(*b == 2, "page: its neighbour stays");
	page_unmap(SCRATCH);
	tap_ok(trap_try(touch, (void *)(SCRATCH + 8)) == VECTOR_PF &&
		       read_cr2() == SCRATCH + 8,
	       "page: unmapped, #PF tells the address");
	idt_handle(VECTOR_PF, note_page_fault);
	*(volatile u8 *)(SCRATCH + 5) = 3;
	idt_handle(VECTOR_PF, NULL);
	tap_ok(seen_vector == VECTOR_PF && seen_address == SCRATCH + 5 &&
		       ((volatile u8 *)SCRATCH)[5] == 3,
	       "page: a handler maps it, the store is repeated");
	tap_ok(page_map(BEYOND, 0, PTE_TABLE) < 0, "page: beyond 4 GiB");
}

/* Interrupts ***************************************************************/

static void hit(struct trap_frame *f)
{
	(void)f;
	hits[0]++;
	apic_eoi();
}

static void test_apic(void)
{
	unsigned before = hits[0];

	idt_handle(VECTOR_TIMER, hit);
	apic_timer_start(VECTOR_TIMER);
	apic_timer_arm(TIMER_TICKS);
	tap_ok(changes(&hits[0], before), "apic: %s timer fires",
	       apic_timer_has_deadline() ? "TSC-deadline" : "one-shot");
	apic_timer_stop();
	before = hits[0];
	apic_send(0, ICR_SELF | ICR_ASSERT | ICR_FIXED | VECTOR_TIMER);
	tap_ok(hits[0] == before, "apic: nothing comes while IF is off");
	tap_ok(changes(&hits[0], before), "apic: self IPI");
	before = hits[0];
	apic_timer_start(VECTOR_TIMER);
	apic_timer_arm(TIMER_TICKS);
	while (hits[0] == before) {
		sti_hlt();
		cli();
	}
	tap_ok(hits[0] == before + 1, "apic: timer ends HLT");
	apic_timer_stop();
}

/* Other CPUs ***************************************************************/

static volatile unsigned pongs;

static void set_hit(void *cpu)
{
	hits[(u64)cpu] = apic_id() + 1;
}

static void test_run(unsigned cpus)
{
	unsigned good = 0;

	if (cpus < 2) {
		tap_skip("one CPU", "smp: each CPU runs a function");
		return;
	}
	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		hits[cpu] = 0;
		smp_run(cpu, set_hit, (void *)(u64)cpu);
	}
	for (unsigned cpu = 1; cpu < cpus; cpu++)
		good += smp_wait(cpu) && hits[cpu] == smp_apic_id(cpu) + 1;
	tap_ok(good == cpus - 1, "smp: each of %u CPUs runs a function", cpus);
}

/* On the other CPU: answers the IPI with one to CPU 0. */
static void ping(struct trap_frame *f)
{
	(void)f;
	apic_eoi();
	apic_send(smp_apic_id(0), ICR_ASSERT | ICR_FIXED | VECTOR_PONG);
}

static void pong(struct trap_frame *f)
{
	(void)f;
	pongs++;
	apic_eoi();
}

static void test_ipi(unsigned cpus)
{
	unsigned good = 0;

	if (cpus < 2) {
		tap_skip("one CPU", "smp: IPI to each CPU and back");
		return;
	}
	idt_handle(VECTOR_IPI, ping);
	idt_handle(VECTOR_PONG, pong);
	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		unsigned before = pongs;

		apic_send(smp_apic_id(cpu),
			  ICR_ASSERT | ICR_FIXED | VECTOR_IPI);
		good += changes(&pongs, before);
	}
	tap_ok(good == cpus - 1, "smp: IPI to each CPU and back");
}

/* The rest *****************************************************************/

static void test_machine(void)
{
	struct pci_dev dev;

	tap_ok(multiboot_ram_end() > SCRATCH, "multiboot: RAM up to %lx",
	       multiboot_ram_end());
	tap_ok(!pci_find(0xffff, 0xfffe, &dev), "pci: no such device");
	if (pci_find(VENDOR_INTEL, HOST_BRIDGE, &dev))
		tap_ok(!pci_memory_bar(dev, 0, 0), "pci: host bridge, no BAR");
	else
		tap_skip("no QEMU pc", "pci: host bridge, no BAR");
}

int main(const char *cmdline)
{
	unsigned cpus;

	(void)cmdline;
	serial_init();
	tap_plan(TESTS);
	test_fmt();
	test_cmdline();
	idt_init();
	test_traps();
	test_pages();
	apic_init();
	test_apic();
	cpus = smp_init();
	test_run(cpus);
	test_ipi(cpus);
	test_machine();
	return tap_done();
}
