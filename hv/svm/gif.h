/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The global interrupt flag of L1, and of a guest of L1's that may clear it
 * (APM vol. 2, 15.17). The CPU's own flag is on while any guest runs, or L0's
 * NMIs would not get through; so GIF=0 is made of V_INTR_MASKING. Three states:
 *
 *   GIF_ON   interrupts go to the guest without exits; CLGI exits
 *   GIF_OFF  they stay pending, because L0's RFLAGS.IF, which decides with
 *            V_INTR_MASKING, is 0; STGI exits
 *   GIF_CPU  on a CPU with virtual GIF: V_GIF is the flag, STGI and CLGI do not
 *            exit. An interrupt exits; if the guest does not take it yet, a
 *            virtual one with an intercept tells when (the window).
 *
 * A #VMEXIT to L1 leads to GIF_CPU if there is virtual GIF, else to GIF_OFF;
 * the first interrupt, or CR8, back to GIF_ON. CR8 is the CPU's own in GIF_ON
 * only: in GIF_CPU its accesses exit, in GIF_OFF it is V_TPR until STGI.
 */
#pragma once

#include "hv/vmm.h"
#include "lib/cpu.h"
#include "lib/vmcb.h"

/* Asks the CPU what it can. Once. */
void svm_gif_init(void);

bool svm_gif(const struct vcpu *v);
void svm_set_gif(struct vcpu *v, bool on);

/* Tells by an exit when the guest sets its flag, which is off. */
void svm_watch_gif(struct vcpu *v);

/* An exit that only this module's states cause, in L1: an interrupt, the
 * window, or CR8. False: it was not meant for us. */
bool svm_gif_exit(struct vcpu *v, enum exit_slot slot);

/* CR8 becomes the CPU's own, before L1 leaves for its guest, too. */
static inline void svm_gif_leave(const struct vcpu *v)
{
	const struct vmcb *vmcb = v->backend;
	u32 ctl = vmcb->control.int_ctl, cr8 = ctl & 0xf;

	if (ctl & VMCB_V_INTR_MASKING && cr8 != read_cr8())
		write_cr8(cr8);
}

/* L1 is back, with GIF=0; it was @before when it left, and CR8 is the same.
 * Most return to what they left, a flag that is off. */
static inline void svm_gif_return(struct vcpu *v, enum gif before)
{
	const struct vmcb *vmcb = v->backend;

	v->gif = before;
	if (before == GIF_ON ||
	    vmcb->control.int_ctl & (VMCB_V_GIF | VMCB_V_IRQ))
		svm_set_gif(v, false);
	else
		v->l0_if = before == GIF_CPU;
}
