/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What L0 keeps of L1's SVM on one CPU, as data without pointers: taken out,
 * and put back here or into another vcpu. Not in it is what belongs to the vcpu
 * with or without SVM: the general registers but RIP, RSP, RAX and RFLAGS of
 * L1's guest, what VMLOAD loads, FPU, debug addresses, APIC and pending events.
 *
 * The CPU that owns the vcpu calls this, between two of its entries. Memory of
 * L1's is not touched; NPT02 is found anew.
 */
#pragma once

#include "hv/nested/state.h"

#define NESTED_STATE_VERSION 1

#define STATE_SVME  0x1u /* L1's EFER.SVME */
#define STATE_GIF   0x2u /* of the guest that runs */
#define STATE_GUEST 0x4u /* L1's guest runs: all that follows vmcb12 counts */
#define STATE_VGIF  0x8u /* virtual GIF, where L0 keeps it */
#define STATE_FLAGS 0xfu

/* What does not count is 0. */
struct nested_state {
	u32 version, size;
	u64 flags;
	u64 vm_cr, hsave; /* MSRs */
	u64 vmcb12;	  /* L1's physical address of it */
	u64 event12;	  /* EVENTINJ as VMRUN read it */
	u64 soft_rip;	  /* struct nested has these two */
	u32 kept;
	u32 int_ctl; /* as the CPU has it now */
	/* Control area: as VMRUN read it, but for the last exit, the interrupt
	 * shadow and the event to be injected. Save area: L1's guest now. */
	struct vmcb l2;
	struct vmcb l1; /* EVENTINJ and the save area only */
};

void nested_save(const struct vcpu *v, struct nested_state *s);

/*
 * The guest that ran when @s was saved goes on. Returns NULL, or what is wrong
 * with @s, and then nothing has changed.
 */
const char *nested_load(struct vcpu *v, const struct nested_state *s);

/* Has @v saved, spoilt and loaded at each @period-th exit of L1's guest, on
 * every CPU: a test (option "shake"). Once, before nested_start(). */
void shake_init(u32 period);
void shake_start(struct nested *n);
void shake(struct vcpu *v);
