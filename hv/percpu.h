/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block of each physical CPU: its stack, its guest, its counters. It is
 * found by the stack pointer, because a #VMEXIT brings back neither GS nor TR:
 * the block is aligned to STACK_SIZE and the stack is at its end.
 */
#pragma once

#include "hv/account.h"
#include "hv/layout.h"
#include "hv/vmm.h"
#include "lib/cpu.h"

/* What one CPU asks of another on L1's behalf, in the order of serving. */
enum request {
	REQUEST_NONE = 0,
	REQUEST_INIT = 1,
	REQUEST_START = 2,
	REQUEST_NMI = 4,
};

struct cpu {
	unsigned id; /* dense, the boot CPU is 0 */
	u32 apic_id;
	struct vcpu vcpu;
	struct account account;
	volatile bool nmi_taken; /* set by the NMI handler */
	bool in_guest;		 /* read by others: hv/shoot.h */
	u64 epoch;		 /* of its last flush */

	/* Written by others: hv/smp.c. */
	bool ready;
	bool kicked; /* an NMI of L0's is on its way */
	bool stops;  /* L0 has panicked elsewhere */
	bool requests_locked;
	u8 start_vector; /* of REQUEST_START */
	u32 requests;	 /* of enum request */
};

_Static_assert(sizeof(struct cpu) < STACK_SIZE / 2, "no room for the stack");

#define MAX_CPUS 64

/* By id; those that have been started. */
extern struct cpu *cpus[MAX_CPUS];
extern unsigned n_cpus;

static inline struct cpu *cpu_by_id(u64 id)
{
	return id < n_cpus ? cpus[id] : NULL;
}

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)(read_rsp() & ~(u64)(STACK_SIZE - 1));
}
