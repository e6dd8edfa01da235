/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/vmrun.h"

#include "hv/insn.h"
#include "hv/mem.h"
#include "hv/nested/assist.h"
#include "hv/nested/check.h"
#include "hv/nested/merge.h"
#include "hv/nested/shadow.h"
#include "hv/space.h"
#include "hv/svm/gif.h"
#include "hv/svm/msrpm.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define CONTROL_USED offsetof(struct vmcb_control, insn_len)
#define SAVE_USED    offsetof(struct vmcb_save, dbgctl)
#define DR7_OFF	     0x400u
#define TABLE_PA     0x000ffffffffff000ull
#define CR8_MASK     0xfu

/* VMRUN ********************************************************************/

static void put_regs(struct vmcb_save *s, const struct regs *r)
{
	s->rax = r->gpr[RAX];
	s->rsp = r->gpr[RSP];
	s->rip = r->rip;
	s->rflags = r->rflags;
}

static void get_regs(struct regs *r, const struct vmcb_save *s)
{
	r->gpr[RAX] = s->rax;
	r->gpr[RSP] = s->rsp;
	r->rip = s->rip;
	r->rflags = s->rflags;
}

/* What L1 changes behind this does not count. */
static void copy_vmcb12(struct nested *n, const struct vmcb *vmcb12)
{
	memcpy(&n->copy12->control, &vmcb12->control, CONTROL_USED);
	memcpy(&n->copy12->save, &vmcb12->save, SAVE_USED);
}

/*
 * Which translations the CPU may use: those of an ASID that L1 used before, on
 * the same tables, without a flush. Everything else has to be as new as NPT12.
 */
static bool needs_new_tables(struct nested *n)
{
	const struct vmcb_control *c = &n->copy12->control;
	u64 bit = 1ull << c->asid, root = n->npt.root;

	if (c->tlb_control == VMCB_TLB_FLUSH_ALL)
		n->asids = 0;
	if (!c->tlb_control && n->asids & bit && n->root[c->asid] == root)
		return false;
	n->asids |= bit;
	n->root[c->asid] = root;
	return true;
}

/* Nested tables are in the format of L1's own paging (APM vol. 2, 15.25.3).
 * False: in one that nestbox does not have. */
static bool find_tables(struct nested *n)
{
	const struct vmcb_control *c = &n->copy12->control;
	const struct vmcb_save *l1 = &n->vmcb01->save;

	n->nested_paging = offers(SVM_NPT) && c->np_control & VMCB_NP_ENABLE;
	return !n->nested_paging || npt12_init(&n->npt, c->ncr3, l1->cr4,
					       l1->efer, offer.phys_bits);
}

/* Without nested paging L1's guest has L1's memory. */
static u64 choose_tables(struct nested *n)
{
	if (!n->nested_paging)
		return space_root();
	if (needs_new_tables(n))
		shadow_flush();
	n->generation = shadow_generation;
	return shadow_root(&n->npt);
}

static void merge_msrpm(struct nested *n)
{
	u64 pa = n->copy12->control.msrpm_pa & TABLE_PA;
	const void *map12 = phys_map(&space_l1, pa, 2ul * PAGE_SIZE);

	if (map12)
		merge_msrs(n->msrpm, phys_to_virt(svm_msrpm()), map12);
	else
		merge_msrs_init(n->msrpm);
}

/*
 * INTn and INT3 push the address behind themselves. A CPU that does not save
 * that address does not load it either, and pushes RIP.
 */
static void merge_soft_event(struct nested *n)
{
	struct vmcb *vmcb02 = n->vmcb02;
	u64 type = vmcb02->control.event_inj & (VMCB_EVENT_VALID |
						 VMCB_EVENT_TYPE);

	n->soft_rip = 0;
	if (type != (VMCB_EVENT_VALID | VMCB_EVENT_SOFT) || cpu_has(SVM_NRIP) ||
	    !offers(SVM_NRIP))
		return;
	n->soft_rip = vmcb02->save.rip;
	vmcb02->save.rip = vmcb02->control.next_rip;
}

/* The virtual GIF of L1's guest, where the CPU has none. */
static void merge_gif(struct nested *n)
{
	struct vmcb_control *c02 = &n->vmcb02->control;
	u32 ctl = n->copy12->control.int_ctl;

	n->kept = 0;
	n->gif = ctl & VMCB_V_GIF;
	if (cpu_has(SVM_VGIF) || !offers(SVM_VGIF) ||
	    !(ctl & VMCB_V_GIF_ENABLE) || n->gif)
		return;
	n->kept = c02->int_ctl & VMCB_V_IRQ;
	c02->int_ctl &= ~VMCB_V_IRQ;
}

static void build_vmcb02(struct nested *n)
{
	const struct vmcb_control *c12 = &n->copy12->control;
	struct merge m = {
		.iopm = offer.iopm,
		.msrpm = virt_to_phys(n->msrpm),
		.asid = c12->asid + 1,
		.tlb_control = n->vmcb02->control.tlb_control |
			       c12->tlb_control,
		.int_ctl = offer.int_ctl,
		.exact_flush = cpu_has(SVM_FLUSH),
		.virtual_load = cpu_has(SVM_VLS) && n->nested_paging,
	};

	m.ncr3 = choose_tables(n);
	merge_msrpm(n);
	merge_control(&n->vmcb02->control, c12, &m);
	merge_save(&n->vmcb02->save, &n->copy12->save);
	if (!n->nested_paging)
		n->vmcb02->save.g_pat = n->vmcb01->save.g_pat;
	merge_gif(n);
	merge_soft_event(n);
}

/* An interrupt of the machine ends L1's guest by L1's RFLAGS.IF if L1 masks
 * virtually, else by the guest's own. */
static void enter_guest(struct vcpu *v)
{
	struct nested *n = v->nested;

	svm_gif_leave(v);
	put_regs(&n->vmcb01->save, &v->regs);
	v->l0_if = v->regs.rflags & RFLAGS_IF;
	get_regs(&v->regs, &n->vmcb02->save);
	v->gif = GIF_ON;
	v->backend = n->vmcb02;
	v->level = 2;
	if (v->nmi_blocked)
		vmm->watch_iret(v, true);
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

/* L1's operand; NULL: #GP. */
static struct vmcb *operand(const struct vcpu *v)
{
	u64 pa = v->regs.gpr[RAX];

	return pa % PAGE_SIZE ? NULL : space_writable(pa, PAGE_SIZE);
}

enum result nested_vmrun(struct vcpu *v, const struct exit *exit)
{
	struct nested *n = v->nested;
	struct vmcb *vmcb12;

	if (!v->svme) {
		inject_fault(v, VECTOR_UD, false);
		return SAME_RIP;
	}
	vmcb12 = operand(v);
	if (!vmcb12) {
		inject_fault(v, VECTOR_GP, true);
		return SAME_RIP;
	}
	insn_done(v, exit);
	if (vmm->injecting(v) && !(v->regs.rflags & RFLAGS_TF))
		return SAME_RIP; /* VMRUN is no longer there */
	n->vmcb12 = v->regs.gpr[RAX];
	n->vmruns++;
	copy_vmcb12(n, vmcb12);
	if (check_vmcb(n->copy12, &offer.limits) || !find_tables(n)) {
		refuse_guest(v, vmcb12);
		return SAME_RIP;
	}
	build_vmcb02(n);
	enter_guest(v);
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

/* What L0 keeps of the guest's GIF goes back to where L1 looks for it. */
static void unmerge_gif(struct vcpu *v)
{
	struct nested *n = v->nested;
	struct vmcb_control *c02 = &n->vmcb02->control;
	u32 ctl = n->copy12->control.int_ctl;

	if (v->gif == GIF_OFF)
		set_guest_gif(v, true);
	if (!(ctl & VMCB_V_GIF_ENABLE) || cpu_has(SVM_VGIF))
		return;
	c02->int_ctl = (c02->int_ctl & ~VMCB_V_GIF) | n->kept |
		       (n->gif ? VMCB_V_GIF : 0);
}

/* An INTn that did not get through is where it was. */
static void unmerge_soft_event(struct nested *n)
{
	struct vmcb *vmcb02 = n->vmcb02;

	if (n->soft_rip && vmcb02->control.exit_int_info & VMCB_EVENT_VALID)
		vmcb02->save.rip = n->soft_rip;
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
	get_regs(&v->regs, &vmcb01->save);
	v->backend = vmcb01;
	v->level = 1;
	vmm->set_gif(v, false);
	if (v->nmi_blocked)
		vmm->watch_iret(v, true);
}

void reflect(struct vcpu *v)
{
	struct nested *n = v->nested;
	struct vmcb *vmcb12 = space_writable(n->vmcb12, PAGE_SIZE);
	struct vmcb *vmcb02 = n->vmcb02;

	put_regs(&vmcb02->save, &v->regs);
	vmcb02->control.exit_int_info = vmcb02->control.event_inj;
	vmcb02->control.event_inj = 0;
	unmerge_gif(v);
	unmerge_soft_event(n);
	merge_back_control(&vmcb12->control, &n->copy12->control,
			   &vmcb02->control);
	merge_back_save(&vmcb12->save, &vmcb02->save);
	leave_guest(v);
}

void reflect_as(struct vcpu *v, u64 code, u64 info1, u64 info2)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;

	c02->exit_code = code;
	c02->exit_info_1 = info1;
	c02->exit_info_2 = info2;
	reflect(v);
}
