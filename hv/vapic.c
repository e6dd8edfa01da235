/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/vapic.h"

#include "hv/lapic.h"
#include "hv/mmio.h"
#include "hv/safe.h"
#include "hv/smp.h"
#include "hv/space.h"
#include "lib/cpu.h"

#define DFR_FLAT  0xffffffffu
#define BASE_MODE (APIC_BASE_ENABLE | APIC_BASE_X2APIC)

/* Destinations *************************************************************/

/* The logical ID of x2APIC: cluster and bit (Intel SDM vol. 3, 11.12.10). */
static bool in_x2apic_cluster(u32 apic_id, u32 dest)
{
	return dest >> 16 == apic_id >> 4 && dest >> apic_id % 16 & 1;
}

/* Flat: a bit a CPU. Cluster: 4 bits name it, 4 bits are CPUs. */
static bool in_xapic_set(const struct vapic *apic, u32 dest)
{
	u32 id = apic->ldr >> 24;

	if (apic->dfr == DFR_FLAT)
		return id & dest;
	return (id >> 4 == dest >> 4 || dest >> 4 == 0xf) && id & dest & 0xf;
}

static bool is_destination(const struct cpu *cpu, const struct cpu *sender,
			   u64 icr, bool x2apic)
{
	u32 dest = (u32)(icr >> 32);

	switch (icr & ICR_SHORTHAND) {
	case ICR_SELF:
		return cpu == sender;
	case ICR_ALL:
		return true;
	case ICR_ALL_BUT_SELF:
		return cpu != sender;
	default:
		break;
	}
	if (!x2apic)
		dest >>= XAPIC_ID_SHIFT;
	if (dest == (x2apic ? X2APIC_BROADCAST : XAPIC_BROADCAST))
		return true;
	if (!(icr & ICR_LOGICAL))
		return dest == cpu->apic_id;
	return x2apic ? in_x2apic_cluster(cpu->apic_id, dest)
		      : in_xapic_set(&cpu->vcpu.apic, dest);
}

static void request(const struct cpu *sender, u64 icr, bool x2apic,
		    enum request what)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (is_destination(cpus[i], sender, icr, x2apic))
			smp_request(cpus[i], what, (u8)icr);
}

/* True: done, there is nothing left for the hardware. */
static bool take_command(const struct cpu *sender, u64 icr, bool x2apic)
{
	bool deassert = (icr & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL;

	switch (icr & ICR_MODE) {
	case ICR_INIT:
		if (!deassert)
			request(sender, icr, x2apic, REQUEST_INIT);
		return true;
	case ICR_STARTUP:
		request(sender, icr, x2apic, REQUEST_START);
		return true;
	case ICR_NMI:
		request(sender, icr, x2apic, REQUEST_NMI);
		return true;
	case ICR_SMI:  /* would leave L0 and L1 to the firmware's mercy */
	case ICR_READ: /* of old, no CPU with SVM has it */
		return true;
	default:
		return false;
	}
}

/* What would take a CPU from L0 is masked: INIT, SMI, and modes that are none.
 * LVT entries and the I/O APICs' have the mode in the same place. */
u32 vapic_tame(u32 entry, u32 masked)
{
	switch (entry & ICR_MODE) {
	case ICR_FIXED:
	case ICR_LOWEST:
	case ICR_NMI:
	case ICR_EXTINT:
		return entry;
	default:
		return entry | masked;
	}
}

static bool is_lvt(u32 offset)
{
	return offset == APIC_LVT_CMCI ||
	       (offset >= APIC_LVT_TIMER + 0x10 && offset <= APIC_LVT_ERROR);
}

/* xAPIC ********************************************************************/

/* What is no aligned access of 32 bits is undefined (APM vol. 2, 16.3.2). In
 * x2APIC mode there is nothing here, and lapic_read() could fault. */
static bool is_register(u64 offset, unsigned bytes)
{
	return bytes == 4 && offset % 16 == 0 && !lapic_is_x2apic();
}

static u64 read_page(struct vcpu *v, const struct mmio_range *r, u64 offset,
		     unsigned bytes)
{
	(void)v;
	(void)r;
	return is_register(offset, bytes) ? lapic_read((u32)offset) : 0;
}

static void write_page(struct vcpu *v, const struct mmio_range *r, u64 offset,
		       unsigned bytes, u64 value)
{
	u64 icr;

	(void)r;
	if (!is_register(offset, bytes))
		return;
	if (offset == APIC_ID) /* kicks go to the CPU's own */
		return;
	if (offset == APIC_LDR)
		v->apic.ldr = (u32)value;
	if (offset == APIC_DFR)
		v->apic.dfr = (u32)value | 0x0fffffff;
	if (offset == APIC_ICR) {
		icr = (u64)lapic_read(APIC_ICR_HI) << 32 | (u32)value;
		if (take_command(v->cpu, icr, false))
			return;
	}
	if (is_lvt((u32)offset))
		value = vapic_tame((u32)value, APIC_LVT_MASKED);
	lapic_write((u32)offset, (u32)value);
}

void vapic_init(void)
{
	space_trap_writes(APIC_PAGE, PAGE_SIZE);
	mmio_add(&(struct mmio_range){.name = "local APIC",
				      .start = APIC_PAGE,
				      .end = APIC_PAGE + PAGE_SIZE,
				      .read = read_page,
				      .write = write_page});
}

void vapic_start(struct vcpu *v)
{
	v->apic = (struct vapic){.dfr = DFR_FLAT};
	if (lapic_is_x2apic())
		return;
	v->apic.ldr = lapic_read(APIC_LDR);
	v->apic.dfr = lapic_read(APIC_DFR);
}

void vapic_reset(struct vcpu *v)
{
	lapic_reset();
	vapic_start(v);
}

/* MSRs *********************************************************************/

bool vapic_write_lvt(struct vcpu *v, u32 msr, u64 value)
{
	(void)v;
	return lapic_is_x2apic() && !(value >> 32) &&
	       wrmsr_safe(msr, vapic_tame((u32)value, APIC_LVT_MASKED));
}

bool vapic_read_icr(struct vcpu *v, u64 *value)
{
	*value = v->apic.icr;
	return lapic_is_x2apic();
}

bool vapic_write_icr(struct vcpu *v, u32 msr, u64 value)
{
	if (!lapic_is_x2apic())
		return false;
	if (!take_command(v->cpu, value, true) && !wrmsr_safe(msr, value))
		return false;
	v->apic.icr = value;
	return true;
}

/* L1 chooses the mode. Its page stays where L0 looks for it. */
bool vapic_write_base(struct vcpu *v, u32 msr, u64 value)
{
	u64 old = rdmsr(msr);

	if ((value ^ old) & ~(u64)BASE_MODE || !wrmsr_safe(msr, value))
		return false;
	/* A kick does not reach an APIC that is off. */
	if (!(old & APIC_BASE_ENABLE))
		smp_was_kicked(v->cpu);
	if (value & APIC_BASE_ENABLE)
		vapic_start(v);
	return true;
}
