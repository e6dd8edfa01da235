/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known numbers of exits for the instrument to find: three windows of so
 * many CPUIDs, port writes and RDMSRs, each short enough to lie between two
 * timer ticks of the level below (guest/lib/tick.h).
 *
 * Protocol as guest/bench/micro.c, with one iteration per operation; a line
 * "planted NAME COUNT" behind each says what a window held.
 */
#include "guest/lib/cpu.h"
#include "guest/lib/exit.h"
#include "guest/lib/serial.h"
#include "guest/lib/tick.h"
#include "lib/marker.h"

#define CPUIDS 1000
#define OUTS   500
#define RDMSRS 200

/* The BIOS's POST code port: nothing listens, every hypervisor traps it. */
#define POST_PORT 0x80

int main(const char *cmdline);

static void plant_cpuid(void)
{
	for (unsigned i = 0; i < CPUIDS; i++)
		cpuid(0, 0);
}

static void plant_pio(void)
{
	for (unsigned i = 0; i < OUTS; i++)
		outb(POST_PORT, 0);
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

int main(const char *cmdline)
{
	(void)cmdline;
	serial_init();
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		serial_printf("op %s 1\n", windows[i].name);
		serial_drain();
		tick_align();
		MARK(MARK_OP);
		MARK(MARK_BEGIN);
		windows[i].plant();
		MARK(MARK_END);
		serial_printf("planted %s %u\n", windows[i].name,
			      windows[i].count);
	}
	serial_printf("done\n");
	return EXIT_OK;
}
