/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's CPUs. L0 starts all of them before L1 runs; those that L1 has
 * not started wait in L0. One asks another for something by a request and a
 * kick, an NMI: it ends whatever the other runs, and L0 tells it from L1's own
 * NMIs by a flag.
 */
#pragma once

#include "hv/percpu.h"
#include "lib/acpi.h"

/* The block of the next CPU; the boot CPU is first. Panics without memory. */
struct cpu *smp_new_cpu(u32 apic_id);

/* Starts the other CPUs of @list: each runs @entry on its own stack. One
 * that does not answer is left out with a message. */
void smp_start(const struct acpi_cpus *list, void (*entry)(void));

/* The CPU that has just started is ready for requests. */
void smp_ready(struct cpu *cpu);

/* L1's NMI, INIT or start-up (with @vector) for @to. */
void smp_request(struct cpu *to, enum request request, u8 vector);

/* Whether there may be a request, or the end. */
static inline bool smp_is_asked(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->requests, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&cpu->stops, __ATOMIC_RELAXED);
}

/* Takes what is requested of @cpu, which calls, one at a time; the order is
 * INIT, start-up, NMI. */
enum request smp_next_request(struct cpu *cpu, u8 *vector);

/* Ends the guest that @cpu runs or will run next. */
void smp_kick(struct cpu *cpu);

/* After an NMI: whether it was a kick. */
bool smp_was_kicked(struct cpu *cpu);

/* L0 is in trouble: the other CPUs stop at their next kick, now. */
void smp_stop_others(void);
