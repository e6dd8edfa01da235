/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common case of VMRUN and of the exit that L1 wants, between two entries
 * of hv/svm/entry.S: nothing is pending, the instruction was there before, and
 * nothing has to be decoded. RIP, RSP, RAX and RFLAGS stay in the blocks; of
 * v->regs only the other registers are valid. What is not common is left as it
 * was, for the dispatcher.
 */
#include "hv/nested/assist.h"
#include "hv/nested/vmcb02.h"
#include "hv/nested/vmrun.h"
#include "hv/nested/wants.h"
#include "hv/percpu.h"
#include "hv/smp.h"
#include "hv/space.h"
#include "hv/svm/memo.h"

/* Somebody waits for this CPU's dispatcher. */
static inline __attribute__((always_inline)) bool is_wanted(
	const struct vcpu *v)
{
	return v->nmi_pending | v->stepping | v->nmi_blocked ||
	       smp_is_asked(v->cpu);
}

bool nested_quick_vmrun(struct vcpu *v)
{
	u64 pa = v->nested->vmcb01->save.rax;
	struct vmcb *vmcb12;

	if (pa % PAGE_SIZE || is_wanted(v))
		return false;
	vmcb12 = space_writable(pa, PAGE_SIZE);
	if (!vmcb12)
		return false;
	begin_guest(v, vmcb12, pa);
	return true;
}

/* What L1 is to know of the instruction. False: that costs a decoder. */
static bool find_next(const struct vcpu *v, u8 kind)
{
	struct vmcb *vmcb02 = v->nested->vmcb02;

	if (cpu_has(SVM_NRIP))
		return true;
	vmcb02->control.next_rip = 0;
	if (!(kind & ASSIST_NEXT) || !offers(SVM_NRIP))
		return true;
	vmcb02->control.next_rip = memo_next(v, vmcb02->save.rip);
	return vmcb02->control.next_rip;
}

/* L1's map of MSRs has a say, too. */
static __attribute__((noinline)) bool wants_this_msr(const struct vcpu *v)
{
	const struct vmcb_control *c02 = &v->nested->vmcb02->control;
	const struct exit exit = {.slot = EXIT_msr,
				  .code = VMCB_EXIT_MSR,
				  .info1 = c02->exit_info_1};

	return l1_wants(v, &exit);
}

/* By one bit of L1's block. Not inline: few have a call before end_guest(). */
static __attribute__((noinline)) bool reflect_quickly(struct vcpu *v,
						      enum exit_slot slot)
{
	struct nested *n = v->nested;
	struct vmcb_control *c02 = &n->vmcb02->control;
	u64 code = c02->exit_code;
	u8 kind;

	if (code - VMCB_EXIT_INTR > VMCB_EXIT_CHOSEN_MAX - VMCB_EXIT_INTR ||
	    code == VMCB_EXIT_NMI || n->soft_rip || n->opened | n->shakes ||
	    is_wanted(v))
		return false;
	kind = assist_kinds[code];
	if (kind & (ASSIST_OPERAND | ASSIST_DECODES) ||
	    !wants_exit(&n->copy12->control, code) || !find_next(v, kind))
		return false;
	c02->event_inj = 0;
	account_exit(&v->cpu->account, 2,
		     &(struct exit){.slot = slot,
				    .code = code,
				    .info1 = c02->exit_info_1,
				    .info2 = c02->exit_info_2},
		     n->vmcb02->save.rip, BY_L1);
	n->reflected++;
	end_guest(v);
	return true;
}

/* Exits of instructions, and of interrupts. */
bool nested_quick_exit(struct vcpu *v, enum exit_slot slot)
{
	if (slot == EXIT_msr && !wants_this_msr(v))
		return false;
	return reflect_quickly(v, slot);
}
