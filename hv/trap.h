/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's own exceptions: each is a bug and ends in panic(). NMIs are taken only
 * where the run loop lets them in (GIF) and set cpu->nmi_taken. External
 * interrupts never come: L0 runs with GIF=0 or IF=0. No TSS and so no stack of
 * their own: a #VMEXIT leaves the guest's TR in place.
 */
#pragma once

#include "lib/types.h"

struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error; /* error is 0 where the CPU pushes none */
	u64 rip, cs, rflags, rsp, ss;
};
ASSERT_OFFSET(trap_frame, vector, 15 * 8);
ASSERT_SIZE(trap_frame, 22 * 8);

/* Fills the IDT, once; trap_load() makes this CPU use it. */
void trap_init(void);
void trap_load(void);
