/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1's own side of the conformance payloads: interrupts and NMIs that L1 sends
 * itself, and the count of those that reach it. l1_init() once, after
 * idt_init(), on CPU 0; the handlers may run on any CPU.
 *
 * A row that makes something pending ends by l1_settle(), so that the next
 * one finds nothing of it: GIF 1, IF 0, nothing pending or in service, NMIs
 * not blocked, counts 0, DR7 without breakpoints.
 */
#pragma once

#include "guest/test/svm.h"

#define L1_VECTOR	0xe2 /* interrupts that L1 sends itself */
#define L1_VECTOR_TIMER 0xe1
#define L1_VECTOR_SOFT	0xe4 /* for nothing but the IRET of its handler */

extern volatile unsigned l1_interrupts, l1_ticks, l1_nmis;

void l1_init(void);
void l1_settle(void);

/* Sends this CPU an interrupt at L1_VECTOR, or an NMI. */
void l1_send_interrupt(void);
void l1_send_nmi(void);

/* What is pending comes in here, if GIF is 1. IF is 0 before and after. */
void l1_open(void);

/*
 * As l2_run(), but with GIF 0 before and after it and L1's RFLAGS.IF set at
 * VMRUN. L1's IF is 0 again on return.
 */
u64 l1_run_open(svm_code *code);

/* As l2_run(), but GIF is left as #VMEXIT makes it. */
u64 l1_run(svm_code *code);
