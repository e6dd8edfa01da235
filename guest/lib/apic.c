/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/apic.h"

#include "lib/cpu.h"

#define CPUID_FEATURES 1

#define PIC1_MASK 0x21
#define PIC2_MASK 0xa1
#define PIC_ALL	  0xff

/* The same on every CPU, found out by apic_init(). */
static struct {
	bool x2apic;
	bool deadline;
	u64 base;
} apic;

static volatile u32 *xapic(u32 reg)
{
	return (volatile u32 *)(apic.base + reg);
}

static u32 apic_read(u32 reg)
{
	if (apic.x2apic)
		return (u32)rdmsr(MSR_X2APIC + reg / 16);
	return *xapic(reg);
}

static void apic_write(u32 reg, u32 value)
{
	if (apic.x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*xapic(reg) = value;
}

void apic_init_cpu(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	/* x2APIC is entered from xAPIC, not from disabled: two writes. */
	wrmsr(MSR_APIC_BASE, base);
	if (apic.x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	apic_write(APIC_SVR, APIC_SVR_ENABLE | APIC_SVR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_LVT_MASKED);
	apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
}

void apic_init(void)
{
	u32 features = cpuid(CPUID_FEATURES, 0).ecx;

	outb(PIC1_MASK, PIC_ALL);
	outb(PIC2_MASK, PIC_ALL);
	apic.x2apic = features & CPUID_ECX_X2APIC;
	apic.deadline = features & CPUID_ECX_DEADLINE;
	apic.base = rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDR;
	apic_init_cpu();
}

u32 apic_id(void)
{
	u32 id = apic_read(APIC_ID);

	return apic.x2apic ? id : id >> XAPIC_ID_SHIFT;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/*
 * No poll for the delivery status: x2APIC has none, emulated xAPICs deliver
 * at once, and reading it would add an exit to every measured IPI.
 */
void apic_send(u32 dest, u32 command)
{
	if (apic.x2apic) {
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)dest << 32 | command);
		return;
	}
	*xapic(APIC_ICR_HI) = dest << XAPIC_ID_SHIFT;
	*xapic(APIC_ICR) = command;
}

void apic_timer_start(u8 vector)
{
	if (apic.deadline) {
		apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | vector);
		/* The xAPIC store must be there before the MSR write. */
		mfence();
		return;
	}
	apic_write(APIC_TDCR, APIC_TDCR_BY_1);
	apic_write(APIC_LVT_TIMER, vector);
}

void apic_timer_arm(u32 ticks)
{
	if (apic.deadline)
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + ticks);
	else
		apic_write(APIC_TMICT, ticks);
}

void apic_timer_stop(void)
{
	if (apic.deadline)
		wrmsr(MSR_TSC_DEADLINE, 0);
	else
		apic_write(APIC_TMICT, 0);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
}

bool apic_timer_has_deadline(void)
{
	return apic.deadline;
}
