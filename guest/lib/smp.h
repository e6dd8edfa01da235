/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other CPUs. Order: idt_init(), apic_init(), smp_init(). CPU 0 is the
 * one that runs main(); all calls here are CPU 0's.
 *
 * A CPU without work halts with interrupts on, so that it does not take
 * time from the measured one where both share a CPU of the level below.
 * It is woken by VECTOR_WAKE, the only vector this module owns. Work runs
 * with interrupts off.
 *
 * There is no need for ACPI tables: everything that answers a broadcast
 * INIT and SIPI counts. Through QEMU's fw_cfg the number is known in
 * advance; without it the wait for stragglers takes its full length.
 */
#pragma once

#include "lib/types.h"

#define VECTOR_WAKE 0xe0

/* Starts all CPUs. Returns how many there are, this one included. */
unsigned smp_init(void);
unsigned smp_cpus(void);

/* The APIC ID of a CPU, for apic_send(). */
u32 smp_apic_id(unsigned cpu);

/* Hands fn(arg) to a started CPU (1..), which must have no work. */
void smp_run(unsigned cpu, void (*fn)(void *arg), void *arg);

/* Waits until it has returned; false if it has not for a long time. */
bool smp_wait(unsigned cpu);
