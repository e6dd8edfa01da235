/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in the format of EVENTINJ and EXITINTINFO (APM vol. 2, 15.7.2 and
 * 15.20): what hv/svm and hv/nested have to know of one whose delivery an exit
 * has interrupted. Pure.
 */
#pragma once

#include "lib/vmcb.h"
#include "lib/x86.h"

/* INTn, INT3 and INTO: they return behind the instruction. */
static inline bool event_is_soft(u64 event)
{
	u64 vector = event & VMCB_EVENT_VECTOR;

	if ((event & VMCB_EVENT_TYPE) == VMCB_EVENT_EXCEPTION)
		return vector == VECTOR_BP || vector == VECTOR_OF;
	return (event & VMCB_EVENT_TYPE) == VMCB_EVENT_SOFT;
}

/* Whether the instruction at RIP raises it once more when it is executed again:
 * a soft one or a fault, but no trap and no interrupt. */
bool event_comes_again(u64 event);

/*
 * Makes of what QEMU tells of an event that nobody injected what the manual
 * asks for: the type of an interrupt; and a virtual one is no longer pending,
 * once it has been taken (15.21.4). Where L2 takes a physical one with the
 * vector of the virtual one that waits, they are taken for one.
 */
void event_correct(struct vmcb *vmcb);

/* int_ctl for QEMU, which lets a virtual interrupt in if its priority is the
 * TPR's, too, where the manual asks for a higher one (15.21.4). */
u32 event_hold_virtual(u32 int_ctl);
