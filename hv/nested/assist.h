/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CPU may tell L1 of an exit of its guest beside the code: where the
 * next instruction begins (NRIP), the operands and bytes of the instruction
 * (decode assists; APM vol. 2, 15.7.1, 15.8.4, 15.9). L0 offers both whatever
 * the CPU has, and finds out itself what the CPU does not tell. vmcb12 gets it,
 * so these are called before reflect().
 */
#pragma once

#include "hv/nested/state.h"

void assist(struct vcpu *v, const struct exit *exit);

/* Of a nested page fault: the bytes of the instruction. */
void assist_page_fault(struct vcpu *v);
