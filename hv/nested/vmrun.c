/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/vmrun.h"

#include "hv/insn.h"
#include "hv/nested/merge.h"
#include "hv/nested/vmcb02.h"
#include "hv/space.h"
#include "hv/svm/gif.h"
#include "lib/cpu.h"
#include "lib/marker.h"
#include "lib/string.h"
#include "lib/svm_insn.h"

#define DR7_OFF 0x400u

/* VMRUN ********************************************************************/

/* An interrupt of the machine ends L1's guest by L1's RFLAGS.IF if L1 masks
 * virtually, else by the guest's own. */
static __attribute__((always_inline)) inline void enter_guest(struct vcpu *v)
{
	struct nested *n = v->nested;

	svm_gif_leave(v);
	n->gif01 = v->gif;
	v->l0_if = n->vmcb01->save.rflags & RFLAGS_IF;
	v->gif = GIF_ON;
	v->backend = n->vmcb02;
	v->level = 2;
	v->proven = 0;
	v->injected = n->vmcb02->control.event_inj;
	v->entry_rip = n->vmcb02->save.rip;
	v->map = n->pair->nested_paging ? npt12_of(n)->root : 0;
	v->iret_exits = n->pair->iret_exits;
	v->debug_exits = n->pair->debug_exits;
	if (v->nmi_blocked)
		vmm->watch_iret(v, true);
}

void resume_guest(struct vcpu *v)
{
	enter_guest(v);
}

/* The block is as it was, L1 goes on behind VMRUN with GIF=0. */
static void refuse_guest(struct vcpu *v, struct vmcb *vmcb12)
{
	vmcb12->control.exit_code = VMCB_EXIT_INVALID;
	vmcb12->control.exit_info_1 = 0;
	vmcb12->control.exit_info_2 = 0;
	vmcb12->control.exit_int_info = 0;
	v->nested->made_up++;
	vmm->set_gif(v, false);
}

void begin_guest(struct vcpu *v, struct vmcb *vmcb12, u64 pa)
{
	struct nested *n = v->nested;

	n->vmruns++;
	vmcb02_choose(n, pa);
	if (vmcb02_make(n, vmcb12))
		enter_guest(v);
	else
		refuse_guest(v, vmcb12);
}

/* L1's operand, and the block there; NULL: #GP. */
static struct vmcb *block(struct vcpu *v, const struct exit *exit, u64 *pa)
{
	*pa = v->regs.gpr[RAX];
	if (*pa & ~SHORT_PAGE) {
		*pa = svm_operand(v, exit);
		if (*pa % PAGE_SIZE)
			return NULL;
	}
	return space_writable(*pa, PAGE_SIZE);
}

enum result nested_vmrun(struct vcpu *v, const struct exit *exit)
{
	struct nested *n = v->nested;
	struct vmcb *vmcb12;
	u64 pa;

	if (!v->svme) {
		inject_fault(v, VECTOR_UD, false);
		return SAME_RIP;
	}
	vmcb12 = block(v, exit, &pa);
	if (!vmcb12) {
		inject_fault(v, VECTOR_GP, true);
		return SAME_RIP;
	}
	insn_done(v, exit);
	if (vmm->injecting(v) && !(v->regs.rflags & RFLAGS_TF))
		return SAME_RIP; /* VMRUN is no longer there */
	put_regs(&n->vmcb01->save, &v->regs);
	begin_guest(v, vmcb12, pa);
	get_regs(&v->regs, &((struct vmcb *)v->backend)->save);
	return SAME_RIP;
}

/* #VMEXIT ******************************************************************/

void set_guest_gif(struct vcpu *v, bool on)
{
	struct nested *n = v->nested;
	struct vmcb_control *c02 = &n->vmcb02->control;

	if (on == svm_gif(v))
		return;
	if (on) {
		if (!(n->kept & VMCB_V_INTR_MASKING))
			write_cr8(c02->int_ctl & CR8_MASK);
		else
			n->kept = (n->kept & ~VMCB_V_TPR_MASK) |
				  (c02->int_ctl & VMCB_V_TPR_MASK);
		c02->int_ctl = n->kept;
		n->kept = 0;
		v->l0_if = n->vmcb01->save.rflags & RFLAGS_IF;
		v->gif = GIF_ON;
		return;
	}
	n->kept = c02->int_ctl;
	c02->int_ctl &= ~VMCB_V_IRQ;
	if (!(n->kept & VMCB_V_INTR_MASKING))
		c02->int_ctl = VMCB_V_INTR_MASKING | (u32)read_cr8();
	v->l0_if = false;
	v->gif = GIF_OFF;
}

/* The CPU's registers that no #VMEXIT brings back, and what it changes in the
 * host's (APM vol. 2, 15.6). */
static void leave_guest(struct vcpu *v)
{
	struct nested *n = v->nested;
	struct vmcb *vmcb01 = n->vmcb01, *vmcb02 = n->vmcb02;

	vmcb01->save.cr2 = vmcb02->save.cr2;
	vmcb01->save.dr6 = vmcb02->save.dr6;
	vmcb01->save.dr7 = DR7_OFF;
	vmcb01->control.int_state = 0;
	v->backend = vmcb01;
	v->level = 1;
	if (v->proven) /* nobody has seen L1's VMRUN */
		MARK(MARK_LEAVE);
	v->map = 0;
	v->iret_exits = v->debug_exits = false;
	if (n->copy12->control.int_ctl & VMCB_V_INTR_MASKING)
		svm_gif_return(v, n->gif01);
	else {
		/* The guest had the CPU's own CR8, which is L1's. */
		vmcb01->control.int_ctl = 0;
		vmm->set_gif(v, false);
	}
	if (v->nmi_blocked) {
		vmm->watch_iret(v, true);
		n->pair->valid = false;
	}
}

/* Of most exits there are none. */
static void copy_bytes(struct vmcb_control *c12, const struct vmcb_control *c02)
{
	c12->insn_len = c02->insn_len;
	if (c02->insn_len)
		memcpy(c12->insn_bytes, c02->insn_bytes,
		       sizeof(c12->insn_bytes));
}

void end_guest(struct vcpu *v)
{
	struct nested *n = v->nested;
	struct vmcb *vmcb12 = space_writable(n->pair->vmcb12, PAGE_SIZE);
	struct vmcb *vmcb02 = n->vmcb02;

	vmcb02->control.exit_int_info = vmcb02->control.event_inj;
	vmcb02->control.event_inj = 0;
	if (v->gif == GIF_OFF)
		set_guest_gif(v, true);
	vmcb02_unmake(n);
	merge_back_control(&vmcb12->control, &n->copy12->control,
			   &vmcb02->control);
	if (offers(SVM_NRIP))
		vmcb12->control.next_rip = vmcb02->control.next_rip;
	if (offers(SVM_ASSIST))
		copy_bytes(&vmcb12->control, &vmcb02->control);
	vmcb02->control.insn_len = 0;
	merge_back_save(&vmcb12->save, &vmcb02->save);
	leave_guest(v);
}

void reflect(struct vcpu *v)
{
	put_regs(&v->nested->vmcb02->save, &v->regs);
	end_guest(v);
	get_regs(&v->regs, &v->nested->vmcb01->save);
}

void reflect_as(struct vcpu *v, u64 code, u64 info1, u64 info2)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;

	c02->exit_code = code;
	c02->exit_info_1 = info1;
	c02->exit_info_2 = info2;
	c02->next_rip = 0;
	c02->insn_len = 0;
	reflect(v);
}
