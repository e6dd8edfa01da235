/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/power.h"

#include "hv/console.h"
#include "hv/mem.h"
#include "hv/ports.h"
#include "hv/smp.h"
#include "hv/timer.h"
#include "hv/seal.h"

/* Fixed ACPI description table (ACPI 6.4, 5.2.9): PM1a_CNT_BLK. */
#define FADT_PM1A_CNT 64
#define PM1_SLP_EN    0x2000u

void power_report(void)
{
	static struct account sum;

	seal_show();
	sum = (struct account){0};
	for (unsigned i = 0; i < n_cpus; i++)
		account_add(&sum, &cpus[i]->account);
	account_dump(&sum, say);
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
