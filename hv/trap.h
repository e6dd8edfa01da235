/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's own exceptions: each is a bug and ends in panic(). NMIs are taken only
 * where the run loop lets them in (GIF) and set cpu->nmi_taken. External
 * interrupts never come: L0 runs with GIF=0 or IF=0. No TSS and so no stack of
 * their own: a #VMEXIT leaves the guest's TR in place.
 */
#pragma once

/* Fills the IDT, once; trap_load() makes this CPU use it. */
void trap_init(void);
void trap_load(void);
