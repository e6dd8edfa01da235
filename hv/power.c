/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/power.h"

#include "hv/console.h"
#include "hv/mem.h"
#include "hv/nested.h"
#include "hv/ports.h"
#include "hv/smp.h"
#include "hv/timer.h"
#include "hv/seal.h"
#include "lib/cpu.h"

/* Fixed ACPI description table (ACPI 6.4, 5.2.9): PM1a_CNT_BLK. */
#define FADT_PM1A_CNT 64
#define PM1_SLP_EN    0x2000u

#define PATIENCE 100000 /* looks at another CPU's counts */

/* Another CPU may be between two of its counts. */
static void check_counts(const struct cpu *cpu, struct nested_counts *counts)
{
	const char *why = "";

	for (unsigned i = 0; why && i < PATIENCE; i++) {
		nested_read_counts(&cpu->vcpu, counts);
		pause();
		why = account_check(&cpu->account, counts);
	}
	if (why)
		say("nested: counts do not add up: CPU %u: %s\n", cpu->id, why);
}

static void report_nested(void)
{
	struct nested_counts sum = {0}, counts;
	struct nested_tables tables;

	for (unsigned i = 0; i < n_cpus; i++) {
		check_counts(cpus[i], &counts);
		sum.vmruns += counts.vmruns;
		sum.reflected += counts.reflected;
		sum.made_up += counts.made_up;
	}
	if (!nested_is_offered())
		return;
	nested_read_tables(&tables);
	say("nested: %lu VMRUNs, %lu reflected, %lu made up; NPT02 %lu fills, "
	    "%lu flushes, %lu evictions, %lu of %lu tables free\n",
	    sum.vmruns, sum.reflected, sum.made_up, tables.fills,
	    tables.flushes, tables.evictions, tables.free_pages, tables.pages);
}

void power_report(void)
{
	static struct account sum;

	seal_show();
	sum = (struct account){0};
	for (unsigned i = 0; i < n_cpus; i++)
		account_add(&sum, &cpus[i]->account);
	account_dump(&sum, say);
	report_nested();
	if (timer_ticks())
		say("  L0's timer ticked %lu times\n", timer_ticks());
}

static void on_pm1_control(struct vcpu *v, u16 port, unsigned bytes, u32 value)
{
	if (value & PM1_SLP_EN) {
		say("nestbox: L1 switches off; %lu pages free\n",
		    mem_free_pages());
		power_report();
	}
	port_out(v, port, bytes, value);
}

void power_init(const struct acpi *acpi)
{
	const struct acpi_header *fadt = acpi_table(acpi, "FACP", NULL);
	const u8 *at;
	u16 port;

	if (!fadt || fadt->length < FADT_PM1A_CNT + 4)
		return;
	at = (const u8 *)fadt + FADT_PM1A_CNT;
	port = (u16)(at[0] | at[1] << 8);
	ports_add(&(struct port_range){.name = "PM1a control",
				       .first = port,
				       .last = (u16)(port + 1),
				       .read = port_in,
				       .write = on_pm1_control});
}
