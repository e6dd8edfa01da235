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
static bool is_wanted(const struct vcpu *v)
{
	return v->nmi_pending | v->stepping | v->nmi_blocked |
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

/* Exits of instructions, and of interrupts, by one bit of L1's block. */
bool nested_quick_exit(struct vcpu *v, const struct exit *exit)
{
	struct nested *n = v->nested;
	u64 code = exit->code;
	u8 kind;

	if (code - VMCB_EXIT_INTR > VMCB_EXIT_CHOSEN_MAX - VMCB_EXIT_INTR ||
	    code == VMCB_EXIT_NMI || n->soft_rip || n->opened | n->shakes ||
	    is_wanted(v))
		return false;
	kind = assist_kinds[code];
	if (kind & (ASSIST_OPERAND | ASSIST_DECODES) ||
	    !wants_exit(&n->copy12->control, code) ||
	    (code == VMCB_EXIT_MSR && !l1_wants(v, exit)) ||
	    !find_next(v, kind))
		return false;
	n->vmcb02->control.event_inj = 0;
	account_exit(&v->cpu->account, 2, exit, n->vmcb02->save.rip, BY_L1);
	end_guest(v);
	n->reflected++;
	return true;
}
