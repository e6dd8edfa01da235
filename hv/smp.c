/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/smp.h"

#include "hv/console.h"
#include "hv/lapic.h"
#include "hv/layout.h"
#include "hv/mem.h"
#include "hv/ptable.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define DELAY_PORT    0x80 /* an access takes about a microsecond */
#define INIT_DELAY    10000u
#define SIPI_DELAY    200u
#define ARRIVAL_TURNS 1000000u
#define LOW_MAPPED    LARGE_PAGE_SIZE

/* trampoline.S; where these lie in its page are offsets from its start. */
extern u8 trampoline[], trampoline_end[];
extern u32 trampoline_cr3;
extern u64 trampoline_stack, trampoline_entry;

struct cpu *cpus[MAX_CPUS];
unsigned n_cpus;

struct cpu *smp_new_cpu(u32 apic_id)
{
	struct cpu *cpu = mem_pages(STACK_SIZE / PAGE_SIZE, STACK_SIZE);

	cpu->id = n_cpus;
	cpu->apic_id = apic_id;
	cpus[n_cpus++] = cpu;
	return cpu;
}

/* Requests *****************************************************************/

static void lock(struct cpu *cpu)
{
	while (__atomic_exchange_n(&cpu->requests_locked, true,
				   __ATOMIC_ACQUIRE))
		pause();
}

static void unlock(struct cpu *cpu)
{
	__atomic_store_n(&cpu->requests_locked, false, __ATOMIC_RELEASE);
}

/* Only the first since the last NMI is sent: each kick is one NMI. */
void smp_kick(struct cpu *cpu)
{
	if (!__atomic_exchange_n(&cpu->kicked, true, __ATOMIC_SEQ_CST))
		lapic_send(cpu->apic_id, ICR_ASSERT | ICR_NMI);
}

void smp_request(struct cpu *to, enum request request, u8 vector)
{
	lock(to);
	if (request == REQUEST_INIT)
		to->requests = 0;
	if (request == REQUEST_START && !(to->requests & REQUEST_START))
		to->start_vector = vector;
	to->requests |= request;
	unlock(to);
	if (to != this_cpu())
		smp_kick(to);
}

enum request smp_next_request(struct cpu *cpu, u8 *vector)
{
	enum request next = REQUEST_NONE;

	if (!__atomic_load_n(&cpu->requests, __ATOMIC_RELAXED))
		return REQUEST_NONE;
	lock(cpu);
	for (u32 r = REQUEST_INIT; !next && r <= REQUEST_NMI; r <<= 1)
		next = cpu->requests & r;
	cpu->requests &= ~(u32)next;
	*vector = cpu->start_vector;
	unlock(cpu);
	return next;
}

bool smp_was_kicked(struct cpu *cpu)
{
	return __atomic_exchange_n(&cpu->kicked, false, __ATOMIC_SEQ_CST);
}

void smp_stop_others(void)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (cpus[i] != this_cpu()) {
			cpus[i]->stops = true;
			smp_kick(cpus[i]);
		}
}

/* Start ********************************************************************/

static void delay(u32 microseconds)
{
	while (microseconds--)
		(void)inb(DELAY_PORT);
}

/* L0's tables and the trampoline's page where a CPU without paging is. */
static u64 tables_with_low_memory(void)
{
	struct ptable t = ptable_new(PTE_TABLE);

	ptable_map(&t, 0, 0, LOW_MAPPED, PTE_TABLE | PTE_ACCESSED | PTE_DIRTY);
	memcpy((u64 *)phys_to_virt(t.root) + 1,
	       (u64 *)phys_to_virt(read_cr3()) + 1,
	       (PTES_PER_TABLE - 1) * sizeof(u64));
	return t.root;
}

static void *in_trampoline(const void *symbol)
{
	return phys_to_virt(TRAMPOLINE + ((u64)symbol - (u64)trampoline));
}

static bool start_one(struct cpu *cpu)
{
	u32 command = ICR_ASSERT | ICR_STARTUP | TRAMPOLINE / PAGE_SIZE;

	*(u64 *)in_trampoline(&trampoline_stack) = (u64)cpu + STACK_SIZE;
	lapic_send(cpu->apic_id, ICR_ASSERT | ICR_INIT);
	delay(INIT_DELAY);
	for (unsigned twice = 0; twice < 2 && !cpu->ready; twice++) {
		lapic_send(cpu->apic_id, command);
		delay(SIPI_DELAY);
	}
	for (unsigned i = 0; i < ARRIVAL_TURNS; i++) {
		if (__atomic_load_n(&cpu->ready, __ATOMIC_ACQUIRE))
			return true;
		pause();
	}
	lapic_send(cpu->apic_id, ICR_ASSERT | ICR_INIT); /* never again */
	return false;
}

static void start_all(const struct acpi_cpus *list)
{
	u32 self = lapic_id();

	for (size_t i = 0; i < list->n; i++) {
		const struct acpi_cpu *c = &list->cpu[i];

		if (c->apic_id == self || !(c->flags & ACPI_CPU_ENABLED))
			continue;
		if (n_cpus == MAX_CPUS) {
			say("nestbox: more than %u CPUs: the others are "
			    "left out\n",
			    MAX_CPUS);
			return;
		}
		if (!start_one(smp_new_cpu(c->apic_id))) {
			n_cpus--;
			say("nestbox: the CPU with APIC ID %u does not "
			    "start: L1 is without it\n",
			    c->apic_id);
		}
	}
}

/* The page below 1 MiB is lent: a loader may have put something there. */
void smp_start(const struct acpi_cpus *list, void (*entry)(void))
{
	static u8 lent[PAGE_SIZE];

	if (list->n < 2)
		return;
	memcpy(lent, phys_to_virt(TRAMPOLINE), PAGE_SIZE);
	memcpy(phys_to_virt(TRAMPOLINE), trampoline,
	       (u64)trampoline_end - (u64)trampoline);
	*(u32 *)in_trampoline(&trampoline_cr3) = (u32)tables_with_low_memory();
	*(u64 *)in_trampoline(&trampoline_entry) = (u64)entry;
	start_all(list);
	memcpy(phys_to_virt(TRAMPOLINE), lent, PAGE_SIZE);
}

void smp_ready(struct cpu *cpu)
{
	__atomic_store_n(&cpu->ready, true, __ATOMIC_RELEASE);
}
