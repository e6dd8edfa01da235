/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known numbers of exits for the instrument to find: windows of so many
 * CPUIDs, port writes and RDMSRs, each short enough to lie between two timer
 * ticks of the level below (guest/lib/tick.h). Timers that are not periodic
 * may still hit one, so each window is tried a few times.
 *
 * Protocol as guest/bench/micro.c; a line "planted NAME COUNT TICKS" for each
 * window says what it held, and how far the TSC went: under -icount that is
 * the number of instructions, which the instrument has to agree with.
 */
#include "lib/cpu.h"
#include "guest/lib/exit.h"
#include "guest/lib/serial.h"
#include "guest/lib/tick.h"
#include "lib/marker.h"

#define TRIES  4
#define CPUIDS 1000
#define OUTS   500
#define RDMSRS 200

/* The mask of the first interrupt controller: every hypervisor traps it, and
 * KVM serves it without user space, so that 500 fit between two ticks. */
#define PIC_MASK_PORT 0x21
#define ALL_MASKED    0xff

int main(const char *cmdline);

static void plant_cpuid(void)
{
	for (unsigned i = 0; i < CPUIDS; i++)
		cpuid(0, 0);
}

static void plant_pio(void)
{
	for (unsigned i = 0; i < OUTS; i++)
		outb(PIC_MASK_PORT, ALL_MASKED);
}

static void plant_msr(void)
{
	for (unsigned i = 0; i < RDMSRS; i++)
		rdmsr(MSR_APIC_BASE);
}

static const struct {
	const char *name;
	void (*plant)(void);
	unsigned count;
} windows[] = {
	{.name = "cpuid", .plant = plant_cpuid, .count = CPUIDS},
	{.name = "pio", .plant = plant_pio, .count = OUTS},
	{.name = "msr", .plant = plant_msr, .count = RDMSRS},
};

/* Runs one window; returns the TSC's progress from just before to just
 * behind it. */
static u64 measure(void (*plant)(void))
{
	u64 begin, end;

	tick_align();
	begin = rdtsc();
	MARK(MARK_BEGIN);
	plant();
	MARK(MARK_END);
	end = rdtsc();
	return end - begin;
}

static void try_window(const char *name, void (*plant)(void), unsigned count)
{
	u64 ticks[TRIES];

	serial_printf("op %s %u\n", name, TRIES);
	serial_drain();
	MARK(MARK_OP);
	for (unsigned i = 0; i < TRIES; i++)
		ticks[i] = measure(plant);
	for (unsigned i = 0; i < TRIES; i++)
		serial_printf("planted %s %u %lu\n", name, count, ticks[i]);
}

int main(const char *cmdline)
{
	(void)cmdline;
	serial_init();
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++)
		try_window(windows[i].name, windows[i].plant, windows[i].count);
	serial_printf("done\n");
	return EXIT_OK;
}
