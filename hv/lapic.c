/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/lapic.h"

#include "hv/mem.h"
#include "lib/cpu.h"

#define ICR_PENDING   0x1000u
#define WAIT_TURNS    100000u
#define DFR_RESET     0xffffffffu
#define ISR_REGISTERS 8

static volatile u32 *page(u32 reg)
{
	return phys_to_virt(APIC_PAGE + reg);
}

bool lapic_is_x2apic(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
}

u32 lapic_read(u32 reg)
{
	return lapic_is_x2apic() ? (u32)rdmsr(MSR_X2APIC + reg / 16)
				 : *page(reg);
}

void lapic_write(u32 reg, u32 value)
{
	if (lapic_is_x2apic())
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*page(reg) = value;
}

u32 lapic_id(void)
{
	u32 id = lapic_read(APIC_ID);

	return lapic_is_x2apic() ? id : id >> XAPIC_ID_SHIFT;
}

/* L1 may be between its writes to the two halves. */
static void send_xapic(u32 dest, u32 command)
{
	u32 high = *page(APIC_ICR_HI);

	for (u32 i = 0; *page(APIC_ICR) & ICR_PENDING && i < WAIT_TURNS; i++)
		pause();
	*page(APIC_ICR_HI) = dest << XAPIC_ID_SHIFT;
	*page(APIC_ICR) = command;
	*page(APIC_ICR_HI) = high;
}

void lapic_send(u32 dest, u32 command)
{
	if (lapic_is_x2apic())
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)dest << 32 | command);
	else
		send_xapic(dest, command);
}

/* Whatever was in service ends; what is requested but not yet in service
 * cannot be taken back (doc/caveats.md). */
static void end_all(void)
{
	for (u32 i = 0; i < ISR_REGISTERS; i++)
		for (u32 left = 32; left && lapic_read(APIC_ISR + 16 * i);
		     left--)
			lapic_write(APIC_EOI, 0);
}

void lapic_reset(void)
{
	static const u32 masked[] = {APIC_LVT_TIMER, APIC_LVT_LINT0,
				     APIC_LVT_LINT1, APIC_LVT_ERROR};

	end_all();
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++)
		lapic_write(masked[i], APIC_LVT_MASKED);
	lapic_write(APIC_TMICT, 0);
	lapic_write(APIC_TDCR, 0);
	lapic_write(APIC_TPR, 0);
	lapic_write(APIC_SVR, APIC_SVR_SPURIOUS);
	if (lapic_is_x2apic())
		return;
	lapic_write(APIC_LDR, 0);
	lapic_write(APIC_DFR, DFR_RESET);
}
