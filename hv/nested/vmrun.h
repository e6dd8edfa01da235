/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from L1 into its guest and back, for hv/nested. A switch moves RIP,
 * RSP, RAX and RFLAGS between v->regs and the blocks; the other general
 * registers stay where they are.
 */
#pragma once

#include "hv/nested/state.h"

/*
 * L1's VMRUN ends as by a #VMEXIT with vmcb02's exit code, infos and
 * EXITINTINFO; the state of L1's guest goes to vmcb12. Then L1 runs, GIF=0.
 */
void reflect(struct vcpu *v);

/* The same with a code and infos that the CPU did not give. */
void reflect_as(struct vcpu *v, u64 code, u64 info1, u64 info2);

/*
 * What VMRUN of L1's @vmcb12 at @pa does, and what a #VMEXIT to L1 does, but
 * for v->regs: RIP, RSP, RAX and RFLAGS are in vmcb01 and vmcb02. A VMRUN that
 * is refused leaves L1 behind it, too.
 */
void begin_guest(struct vcpu *v, struct vmcb *vmcb12, u64 pa);
void end_guest(struct vcpu *v);

/* Whether an exit of its guest is L1's: where L1 is asked, and nowhere else. */
bool l1_wants(const struct vcpu *v, const struct exit *exit);

/*
 * rAX of VMRUN, VMLOAD and VMSAVE, which is EAX if the address size is 32 bits
 * (APM vol. 3, chapter 4).
 */
u64 svm_operand(struct vcpu *v, const struct exit *exit);

/* GIF of L1's guest, which is on at VMRUN. */
void set_guest_gif(struct vcpu *v, bool on);
