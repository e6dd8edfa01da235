/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/fake_machine.h"

#include "hv/console.h"
#include "hv/lapic.h"
#include "hv/mem.h"
#include "hv/panic.h"
#include "hv/power.h"
#include "hv/safe.h"
#include "hv/seal.h"
#include "hv/smp.h"
#include "hv/space.h"
#include "hv/tables.h"
#include "hv/timer.h"
#include "hv/token.h"
#include "lib/cpu.h"

#define MSR_TMCCT (MSR_X2APIC + APIC_TMCCT / 16)
#define MSR_ICR	  (MSR_X2APIC + APIC_ICR / 16)
#define SPACE	  0x5000u /* what space_root() says */

struct machine machine;
struct phys space_l1;

/* trampoline.S: hv/smp.c is linked for its requests, and starts no CPU. */
u8 trampoline[1], trampoline_end[1];
u32 trampoline_cr3;
u64 trampoline_stack, trampoline_entry;

void machine_new(unsigned n)
{
	machine_free(NULL);
	ram_new(&machine.ram, 0, FAKE_RAM_SIZE);
	space_l1 = ram_phys(&machine.ram);
	machine.apic_base = APIC_PAGE | APIC_BASE_ENABLE | APIC_BASE_BSP;
	for (unsigned i = 0; i < n; i++)
		smp_new_cpu(i)->vcpu.cpu = cpus[i];
	machine.self = cpus[0];
}

int machine_free(void **state)
{
	(void)state;
	while (n_cpus)
		free(cpus[--n_cpus]);
	free(machine.ram.bytes);
	machine = (struct machine){0};
	return 0;
}

/* Instructions *************************************************************/

/* A bit of everything, so that what is hidden shows. */
struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	return (struct cpuid){leaf | machine.cpuid_eax, subleaf, ~0u, ~0u};
}

u64 rdmsr(u32 msr)
{
	assert_int_equal(msr, MSR_APIC_BASE);
	return machine.apic_base;
}

u64 rdmsr_in_shadow(u32 msr)
{
	assert_true(lapic_is_x2apic());
	assert_int_equal(msr, MSR_TMCCT);
	return machine.timer;
}

bool rdmsr_safe(u32 msr, u64 *v)
{
	*v = rdmsr(msr);
	return true;
}

bool wrmsr_safe(u32 msr, u64 v)
{
	if (machine.wrmsr_faults)
		return false;
	if (msr == MSR_APIC_BASE) {
		machine.apic_base = v;
	} else {
		assert_int_equal(msr, MSR_ICR);
		machine.icr = v;
	}
	return true;
}

static u32 port(u16 number, unsigned bytes)
{
	machine.port = number;
	machine.port_bytes = bytes;
	return machine.port_value;
}

u8 inb(u16 number)
{
	return (u8)port(number, 1);
}

u16 inw(u16 number)
{
	return (u16)port(number, 2);
}

u32 inl(u16 number)
{
	return port(number, 4);
}

void outb(u16 number, u8 v)
{
	port(number, 1);
	machine.port_value = v;
}

void outw(u16 number, u16 v)
{
	port(number, 2);
	machine.port_value = v;
}

void outl(u16 number, u32 v)
{
	port(number, 4);
	machine.port_value = v;
}

u64 read_rsp(void)
{
	return (u64)machine.self + STACK_SIZE - 1;
}

u64 read_cr3(void)
{
	return 0;
}

/* The local APIC ***********************************************************/

bool lapic_is_x2apic(void)
{
	return machine.apic_base & APIC_BASE_X2APIC;
}

u32 lapic_id(void)
{
	return machine.self->apic_id;
}

/* In x2APIC mode the high half of the ICR and the DFR are no registers: an
 * access is #GP, in L0 (Intel SDM vol. 3, table 11-6). */
static u32 *apic_register(u32 reg)
{
	assert_true(reg % 16 == 0 && reg / 16 < ARRAY_SIZE(machine.apic));
	if (lapic_is_x2apic()) {
		assert_int_not_equal(reg, APIC_ICR_HI);
		assert_int_not_equal(reg, APIC_DFR);
	}
	return &machine.apic[reg / 16];
}

u32 lapic_read(u32 reg)
{
	return *apic_register(reg);
}

void lapic_write(u32 reg, u32 value)
{
	*apic_register(reg) = value;
	machine.n_apic_writes++;
}

void lapic_send(u32 dest, u32 command)
{
	assert_true(machine.n_sent < FAKE_LOG);
	machine.sent[machine.n_sent].dest = dest;
	machine.sent[machine.n_sent++].command = command;
}

void lapic_reset(void)
{
	machine.apic_resets++;
}

/* The rest of L0 ***********************************************************/

void *mem_pages(size_t n, u64 align)
{
	void *pages = aligned_alloc(align, n * PAGE_SIZE);

	assert_non_null(pages);
	return memset(pages, 0, n * PAGE_SIZE);
}

void space_block(u64 *start, u64 *end)
{
	*start = *end = 0;
}

u64 space_root(void)
{
	return SPACE;
}

void space_trap_writes(u64 start, u64 size)
{
	assert_int_equal(start, APIC_PAGE);
	assert_int_equal(size, PAGE_SIZE);
}

void say(const char *fmt, ...)
{
	size_t n = strlen(machine.said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(machine.said + n, sizeof(machine.said) - n, fmt, ap);
	va_end(ap);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(machine.said, sizeof(machine.said), fmt, ap);
	va_end(ap);
	longjmp(machine.end, END_PANIC);
}

void panic_stop(void)
{
	longjmp(machine.end, END_STOP);
}

void machine_reset(void)
{
	longjmp(machine.end, END_RESET);
}

void power_report(void)
{
	machine.power_reports++;
}

bool timer_has_ticked(void)
{
	bool ticked = machine.ticked;

	machine.ticked = false;
	return ticked;
}

u64 seal_start(void)
{
	return 1;
}

u64 seal_now(void)
{
	return 1;
}

bool tables_published(void)
{
	return true;
}

bool token_is(u64 first, u64 second)
{
	return first == FAKE_TOKEN_0 && second == FAKE_TOKEN_1;
}
