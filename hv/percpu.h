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

struct cpu {
	unsigned id; /* dense, the boot CPU is 0 */
	struct vcpu vcpu;
	struct account account;
	volatile bool nmi_taken; /* set by the NMI handler */
};

_Static_assert(sizeof(struct cpu) < STACK_SIZE / 2, "no room for the stack");

static inline struct cpu *this_cpu(void)
{
	u64 sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu *)(sp & ~(u64)(STACK_SIZE - 1));
}
