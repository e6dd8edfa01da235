/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts and exceptions: one IDT and one table of handlers, shared by
 * all CPUs. idt_init() first, once; smp.c calls idt_load() on the others.
 *
 * A handler runs with interrupts off on the interrupted stack and may
 * change the frame; it sends the EOI itself (apic_eoi). A vector without a
 * handler, other than inside trap_try(), ends the payload with EXIT_TRAP
 * and a line that says where.
 */
#pragma once

#include "guest/lib/x86.h"
#include "lib/trap.h"

typedef void trap_handler(struct trap_frame *frame);

void idt_init(void);
void idt_load(void);

/* Returns the handler that was there before; NULL: none. */
trap_handler *idt_handle(unsigned vector, trap_handler *handler);

/*
 * Calls fn(arg). Returns the vector of the first exception that it raised
 * and that has no handler, abandoning it there, or NO_TRAP if it returned.
 * For fn of a few instructions ("does this RDMSR fault?"): what fn has
 * changed stays changed. Only one CPU at a time, and not nested.
 */
int trap_try(void (*fn)(void *arg), void *arg);
