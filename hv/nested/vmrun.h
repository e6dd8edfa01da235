/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from L1 into its guest and back, for hv/nested. A switch moves RIP,
 * RSP, RAX and RFLAGS between v->regs and the blocks; the other general
 * registers stay where they are.
 */
#pragma once

#include "hv/nested/state.h"

static inline void put_regs(struct vmcb_save *s, const struct regs *r)
{
	s->rax = r->gpr[RAX];
	s->rsp = r->gpr[RSP];
	s->rip = r->rip;
	s->rflags = r->rflags;
}

static inline void get_regs(struct regs *r, const struct vmcb_save *s)
{
	r->gpr[RAX] = s->rax;
	r->gpr[RSP] = s->rsp;
	r->rip = s->rip;
	r->rflags = s->rflags;
}

/*
 * L1's VMRUN ends as by a #VMEXIT with vmcb02's exit code, infos and
 * EXITINTINFO; the state of L1's guest goes to vmcb12. Then L1 runs, GIF=0.
 */
void reflect(struct vcpu *v);

/* The same with a code and infos that the CPU did not give. */
void reflect_as(struct vcpu *v, u64 code, u64 info1, u64 info2);

/*
 * What VMRUN of @vmcb12, at L1's @pa, does, and what a #VMEXIT to L1 does, but
 * for v->regs: RIP, RSP, RAX and RFLAGS are those in vmcb01 and vmcb02. If
 * VMRUN refuses the block, L1 runs on, behind VMRUN with GIF=0.
 */
void begin_guest(struct vcpu *v, struct vmcb *vmcb12, u64 pa);
void end_guest(struct vcpu *v);

/* The guest of n->pair, whose vmcb02 is there, runs. */
void resume_guest(struct vcpu *v);

/*
 * Forces L1's guest out to L1 now, between two entries, by an exit that the CPU
 * did not give; any time but while an exit is handled that L1 has had already.
 * VMEXIT_INTR is one that means nothing to a hypervisor that intercepts it.
 */
void nested_leave(struct vcpu *v, u64 code);

/* Whether an exit of its guest is L1's: where L1 is asked, and nowhere else. */
bool l1_wants(const struct vcpu *v, const struct exit *exit);

/*
 * rAX of VMRUN, VMLOAD and VMSAVE, which is EAX if the address size is 32 bits
 * (APM vol. 3, chapter 4).
 */
u64 svm_operand(struct vcpu *v, const struct exit *exit);

/* GIF of L1's guest, not a virtual one. It is on after VMRUN. */
void set_guest_gif(struct vcpu *v, bool on);
