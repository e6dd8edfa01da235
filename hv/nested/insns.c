/* SPDX-License-Identifier: Apache-2.0 */
/* SVM's instructions but VMRUN: of L1, and of its guest where L1 lets it. */
#include "hv/gwalk.h"
#include "hv/insn.h"
#include "hv/nested/shadow.h"
#include "hv/nested/vmrun.h"
#include "hv/percpu.h"
#include "hv/space.h"
#include "hv/svm/gif.h"
#include "lib/cpu.h"
#include "lib/svm_insn.h"

/* With virtual VMLOAD and VMSAVE the operand of L1's guest is in its own
 * memory, without it is L1's (APM vol. 2, 15.33.1). */
static bool is_virtual(const struct vcpu *v)
{
	const struct nested *n = v->nested;

	return v->level == 2 && offers(SVM_VLS) && n->pair->nested_paging &&
	       n->copy12->control.virt_ext & VMCB_VLS;
}

/* EXITINFO1 as the CPU would give it for this access. The exit that was counted
 * is the instruction's. */
static enum result page_fault(struct vcpu *v, u64 address, bool write)
{
	u64 error =
		VMCB_NPF_FINAL | VMCB_NPF_USER | (write ? VMCB_NPF_WRITE : 0);
	struct exit exit = {.slot = EXIT_npf,
			    .code = VMCB_EXIT_NPF,
			    .info1 = error,
			    .info2 = address};
	struct vmcb_control *c02 = &v->nested->vmcb02->control;
	enum result result;

	c02->exit_code = exit.code;
	c02->exit_info_1 = exit.info1;
	c02->exit_info_2 = exit.info2;
	result = nested_exit(v, &exit);
	if (result == REFLECTED) {
		v->nested->reflected--;
		v->nested->made_up++;
	}
	return result;
}

/* Only a prefix would make the address of 64-bit code short. */
u64 svm_operand(struct vcpu *v, const struct exit *exit)
{
	u64 rax = v->regs.gpr[RAX];
	struct guest_view view;
	struct x86_insn insn;

	if (!(rax >> 32))
		return rax;
	vmm->view_code(v, &view);
	if (view.mode == X86_64 &&
	    insn_next(v, exit, 0) - v->regs.rip == SVM_INSN_LEN)
		return rax;
	return insn_fetch(v, &view, &insn) && insn.addr_bytes < 8 ? (u32)rax
								  : rax;
}

/* VMLOAD and VMSAVE move what L0 does not use, so the CPU may do it. */
static enum result move(struct vcpu *v, const struct exit *exit, bool save)
{
	u64 operand = svm_operand(v, exit), pa = operand;

	if (!v->svme)
		return deny(v, VECTOR_UD);
	if (pa % PAGE_SIZE)
		return deny(v, VECTOR_GP);
	if (is_virtual(v) &&
	    !npt12_translate(&space_l1, npt12_of(v->nested), pa, save, &pa))
		return page_fault(v, operand, save);
	if (!space_writable(pa, PAGE_SIZE))
		return deny(v, VECTOR_GP);
	if (save)
		vmsave(pa);
	else
		vmload(pa);
	return NEXT_INSN;
}

enum result nested_vmload(struct vcpu *v, const struct exit *exit)
{
	return move(v, exit, false);
}

enum result nested_vmsave(struct vcpu *v, const struct exit *exit)
{
	return move(v, exit, true);
}

/* Where L0 keeps the virtual GIF of L1's guest, an interrupt that L1 has
 * asked for waits with it. */
static void set_virtual_gif(struct nested *n, bool on)
{
	struct vmcb_control *c02 = &n->vmcb02->control;

	if (on) {
		c02->int_ctl |= n->kept;
		n->kept = 0;
	} else {
		if (n->gif)
			n->kept = c02->int_ctl & VMCB_V_IRQ;
		c02->int_ctl &= ~VMCB_V_IRQ;
	}
	n->gif = on;
}

static enum result set_gif(struct vcpu *v, bool on)
{
	struct nested *n = v->nested;

	if (!v->svme)
		return deny(v, VECTOR_UD);
	if (v->level == 1)
		vmm->set_gif(v, on);
	else if (offers(SVM_VGIF) &&
		 n->copy12->control.int_ctl & VMCB_V_GIF_ENABLE)
		set_virtual_gif(n, on);
	else
		set_guest_gif(v, on);
	return NEXT_INSN;
}

enum result nested_stgi(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return set_gif(v, true);
}

enum result nested_clgi(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return set_gif(v, false);
}

/* ASIDs of L1's guests are one more in the CPU: 1 is L1 itself. What L1 changed
 * in its nested tables shows at the next VMRUN with that ASID. */
enum result nested_invlpga(struct vcpu *v, const struct exit *exit)
{
	u32 asid = (u32)v->regs.gpr[RCX];

	(void)exit;
	if (!v->svme)
		return deny(v, VECTOR_UD);
	if (asid >= offer.limits.asids)
		return NEXT_INSN;
	__asm__ volatile("invlpga"
			 :
			 : "a"(v->regs.gpr[RAX]), "c"(asid + 1)
			 : "memory");
	v->nested->asids &= ~(1ull << asid);
	return NEXT_INSN;
}
