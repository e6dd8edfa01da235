/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a virtual CPU: enter the guest, take its exit, count it, handle
 * it, again. Handlers are in one table by exit slot; they say whether the
 * instruction is done. What a guest has no right to gives it the fault of a CPU
 * without the feature; nothing it does ends L0.
 */
#pragma once

#include "hv/vmm.h"
#include "lib/x86.h"

/* What is left to do behind an exit. */
enum result {
	SAME_RIP,  /* go on where the guest stopped */
	NEXT_INSN, /* the instruction is done */
	REFLECTED, /* L1 has the exit of its guest */
	NOT_MINE,  /* another handler's */
};

typedef enum result handler_fn(struct vcpu *v, const struct exit *exit);

/* Gives the guest an exception when it next runs. */
void inject_fault(struct vcpu *v, u8 vector, bool has_error);

/* The same, for a handler: #GP with error code 0, or an exception without one;
 * the guest stays where it is. */
static inline enum result deny(struct vcpu *v, u8 vector)
{
	inject_fault(v, vector, vector == VECTOR_GP);
	return SAME_RIP;
}

/* A nested page fault at L1's physical address exit->info2. */
handler_fn run_page_fault;

/* The guest of this CPU, for ever. It begins when another one asks for it, if
 * v->waits. */
void run_forever(struct cpu *cpu) __attribute__((noreturn));
