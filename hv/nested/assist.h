/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CPU may tell L1 of an exit of its guest beside the code: where the
 * next instruction begins (NRIP), the operands and bytes of the instruction
 * (decode assists; APM vol. 2, 15.7.1, 15.8.4, 15.9). L0 offers both whatever
 * the CPU has, and finds out itself what the CPU does not tell. It is in vmcb02
 * then, as if from the CPU, for reflect(); an IN or OUT gets its address size
 * and segment, too.
 */
#pragma once

#include "hv/nested/state.h"

/* Of any other exit. */
void assist(struct vcpu *v, const struct exit *exit);

/* By exit code: what there is to tell. */
#define ASSIST_NEXT    0x1 /* it is in front of an instruction */
#define ASSIST_OPERAND 0x2 /* which has an operand that L1 may want */
#define ASSIST_DECODES 0x4 /* something else about it costs a decoder */

extern u8 assist_kinds[VMCB_EXIT_CHOSEN_MAX + 1];

/* Once, at boot. */
void assist_init(void);

/* Of a nested page fault that is L1's: the instruction's bytes, which go to
 * vmcb12 at once. */
void assist_page_fault(struct vcpu *v);
