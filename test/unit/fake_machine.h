/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine under hv/'s core, for host tests: what the instructions of
 * fake/lib/cpu.h do, and in place of hv/lapic.c, space.c, console.c, panic.c
 * and others that end in hardware, what records that they were called. What
 * would be a fault in L0 fails the test.
 */
#pragma once

#include "hv/percpu.h"
#include "lib/apic.h"
#include "test/unit/ram.h"
#include "test/unit/unit.h"

#define FAKE_RAM_SIZE 0x4000u /* L1's memory, from 0 */
#define FAKE_LOG      64

/* How a run of the core ended. */
enum end {
	END_SCRIPT = 1, /* nothing more to do */
	END_RESET,	/* the machine */
	END_PANIC,
	END_STOP, /* because another CPU has panicked */
};

struct machine {
	struct cpu *self; /* the CPU that executes */
	struct ram ram;
	u64 apic_base; /* MSR */
	u32 cpuid_eax; /* beside the leaf */
	bool wrmsr_faults;
	u64 icr; /* of x2APIC, if it reached hardware */
	u32 apic[0x40];
	struct {
		u32 dest, command;
	} sent[FAKE_LOG]; /* by lapic_send() */
	unsigned n_sent, n_apic_writes, apic_resets;
	u32 timer; /* TMCCT */
	u16 port;  /* of the last access */
	unsigned port_bytes;
	u32 port_value; /* written, or to read */
	bool ticked;	/* L0's timer */
	unsigned power_reports;
	char said[512];
	jmp_buf end;
};

extern struct machine machine;

/* As at power-on, with @n CPUs whose APIC IDs are 0, 1 ...; the first one
 * executes. */
void machine_new(unsigned n);

/* cmocka's teardown. */
int machine_free(void **state);

/* The token that hypercalls want. */
#define FAKE_TOKEN_0 0x1111u
#define FAKE_TOKEN_1 0x2222u
