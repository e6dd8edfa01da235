/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a virtual CPU: enter the guest, take its exit, count it, handle
 * it, again. Handlers are in one table by exit slot; they say whether the
 * instruction is done. What a guest has no right to gives it the fault of a CPU
 * without the feature; nothing it does ends L0.
 */
#pragma once

#include "hv/vmm.h"

/* Gives the guest an exception when it next runs. */
void inject_fault(struct vcpu *v, u8 vector, bool has_error);

/* The guest of this CPU, for ever. It begins when another one asks for it, if
 * v->waits. */
void run_forever(struct cpu *cpu) __attribute__((noreturn));
