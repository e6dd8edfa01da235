/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/ioapic.h"

#include "hv/mem.h"
#include "hv/mmio.h"
#include "hv/space.h"
#include "hv/vapic.h"
#include "lib/types.h"
#include "lib/x86.h"

/* Its registers are reached through two (82093AA, 3.1). */
#define INDEX	     0x00u
#define DATA	     0x10u
#define FIRST_ENTRY  0x10u /* two registers an input, the low half first */
#define ENTRY_MASKED 0x10000u

static struct mmio_range ranges[ACPI_IOAPICS];

static volatile u32 *reg(u64 page, u64 offset)
{
	return phys_to_virt(page + offset);
}

/* Which one, the range tells: it begins at the page. */
static u64 read(struct vcpu *v, const struct mmio_range *r, u64 offset,
		unsigned bytes)
{
	(void)v;
	return bytes == 4 ? *reg(r->start, offset) : 0;
}

static void write(struct vcpu *v, const struct mmio_range *r, u64 offset,
		  unsigned bytes, u64 value)
{
	u32 index = *reg(r->start, INDEX);

	(void)v;
	if (bytes != 4)
		return;
	if (offset == DATA && index >= FIRST_ENTRY && index % 2 == 0)
		value = vapic_tame((u32)value, ENTRY_MASKED);
	*reg(r->start, offset) = (u32)value;
}

void ioapic_init(const struct acpi_cpus *list)
{
	for (size_t i = 0; i < list->n_ioapics; i++) {
		u64 page = list->ioapic[i] & ~(u64)(PAGE_SIZE - 1);

		ranges[i] = (struct mmio_range){.name = "I/O APIC",
						.start = page,
						.end = page + PAGE_SIZE,
						.read = read,
						.write = write};
		space_trap_writes(page, PAGE_SIZE);
		mmio_add(&ranges[i]);
	}
}
