/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/smp.h"

#include "guest/lib/apic.h"
#include "lib/cpu.h"
#include "guest/lib/idt.h"
#include "lib/string.h"

/* TSC ticks; at 1 GHz (TCG with icount) the unit is the nanosecond. */
#define INIT_DELAY   10000000u
#define SIPI_DELAY   1000000u
#define ARRIVAL_TIME 200000000u
#define WAIT_TURNS   100000000u

#define FW_CFG_SELECT  0x510
#define FW_CFG_DATA    0x511
#define FW_CFG_ID      0x00 /* reads "QEMU" */
#define FW_CFG_NB_CPUS 0x05 /* 16 bits, little-endian */

struct cpu {
	u32 apic_id;
	void (*fn)(void *arg); /* set by CPU 0, cleared when done */
	void *arg;
};

/* trampoline.S */
extern const u8 trampoline[];
extern const u32 trampoline_size;
extern u32 smp_claimed; /* indices given out, CPU 0's included */
extern u8 ap_stacks[SMP_MAX_CPUS - 1][STACK_SIZE];
void ap_main(u32 index);

u8 ap_stacks[SMP_MAX_CPUS - 1][STACK_SIZE] __attribute__((aligned(16)));
static struct cpu cpus[SMP_MAX_CPUS];
static unsigned arrived = 1;

static void delay(u64 ticks)
{
	for (u64 start = rdtsc(); rdtsc() - start < ticks;)
		pause();
}

static unsigned fw_cfg_cpus(void)
{
	unsigned n;

	outw(FW_CFG_SELECT, FW_CFG_ID);
	for (const char *c = "QEMU"; *c; c++)
		if (inb(FW_CFG_DATA) != (u8)*c)
			return SMP_MAX_CPUS;
	outw(FW_CFG_SELECT, FW_CFG_NB_CPUS);
	n = inb(FW_CFG_DATA);
	n |= (unsigned)inb(FW_CFG_DATA) << 8;
	return n < SMP_MAX_CPUS ? n : SMP_MAX_CPUS;
}

static void wake(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

/* Where a started CPU lives. It never comes back. */
void ap_main(u32 index)
{
	struct cpu *c = &cpus[index];

	idt_load();
	apic_init_cpu();
	c->apic_id = apic_id();
	__atomic_add_fetch(&arrived, 1, __ATOMIC_RELEASE);
	for (;;) {
		void (*fn)(void *) = __atomic_load_n(&c->fn, __ATOMIC_ACQUIRE);

		if (fn) {
			fn(c->arg);
			__atomic_store_n(&c->fn, NULL, __ATOMIC_RELEASE);
		} else {
			sti_hlt();
			cli();
		}
	}
}

static void start_all(void)
{
	u32 page = TRAMPOLINE / PAGE_SIZE;

	memcpy((void *)TRAMPOLINE, trampoline, trampoline_size);
	apic_send(0, ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_INIT);
	delay(INIT_DELAY);
	apic_send(0, ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_STARTUP | page);
	delay(SIPI_DELAY);
	/* A CPU that runs already does not hear the second one. */
	apic_send(0, ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_STARTUP | page);
}

unsigned smp_init(void)
{
	unsigned expected = fw_cfg_cpus();
	u64 start;

	cpus[0].apic_id = apic_id();
	if (expected == 1)
		return 1;
	idt_handle(VECTOR_WAKE, wake);
	start_all();
	start = rdtsc();
	while (smp_cpus() < expected && rdtsc() - start < ARRIVAL_TIME)
		pause();
	return smp_cpus();
}

unsigned smp_cpus(void)
{
	return __atomic_load_n(&arrived, __ATOMIC_ACQUIRE);
}

u32 smp_apic_id(unsigned cpu)
{
	return cpus[cpu].apic_id;
}

void smp_run(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	cpus[cpu].arg = arg;
	__atomic_store_n(&cpus[cpu].fn, fn, __ATOMIC_RELEASE);
	apic_send(cpus[cpu].apic_id, ICR_FIXED | ICR_ASSERT | VECTOR_WAKE);
}

bool smp_wait(unsigned cpu)
{
	for (unsigned turn = 0; turn < WAIT_TURNS; turn++) {
		if (!__atomic_load_n(&cpus[cpu].fn, __ATOMIC_ACQUIRE))
			return true;
		pause();
	}
	return false;
}
