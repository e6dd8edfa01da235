/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/save.h"

#include "hv/nested/merge.h"
#include "hv/nested/vmcb02.h"
#include "hv/nested/vmrun.h"
#include "hv/space.h"
#include "hv/svm/gif.h"
#include "lib/string.h"

/* Save *********************************************************************/

static void save_guest(const struct vcpu *v, struct nested_state *s)
{
	const struct nested *n = v->nested;
	const struct vmcb_control *c02 = &n->vmcb02->control;
	struct vmcb_control *c = &s->l2.control;

	s->flags |= STATE_GUEST | (n->gif ? STATE_VGIF : 0);
	s->vmcb12 = n->pair->vmcb12;
	s->event12 = n->copy12->control.event_inj;
	s->soft_rip = n->soft_rip;
	s->kept = n->kept;
	s->int_ctl = c02->int_ctl;
	memcpy(c, &n->copy12->control, offsetof(struct vmcb_control, insn_len));
	merge_exit(c, c02);
	merge_save(&s->l2.save, &n->vmcb02->save);
	put_regs(&s->l2.save, &v->regs);
	s->l1.control.event_inj = n->vmcb01->control.event_inj;
	merge_save(&s->l1.save, &n->vmcb01->save);
}

void nested_save(const struct vcpu *v, struct nested_state *s)
{
	const struct nested *n = v->nested;

	memset(s, 0, sizeof(*s));
	s->version = NESTED_STATE_VERSION;
	s->size = sizeof(*s);
	s->flags = (v->svme ? STATE_SVME : 0) | (svm_gif(v) ? STATE_GIF : 0);
	s->vm_cr = n->vm_cr;
	s->hsave = n->hsave;
	if (v->level == 2)
		save_guest(v, s);
}

/* Load *********************************************************************/

/* L1 runs on L0's tables and has what the CPU has. */
static const char *l1_rule(const struct nested_state *s,
			   const struct check_limits *l)
{
	struct check_limits own = *l;
	const char *why;

	own.cr4 = vmm->known_cr4();
	why = check_save(&s->l1, &own);
	return why ? why : check_event(&s->l1, &own);
}

/* The tables of a guest without nested paging are L1's affair: VMRUN has
 * looked at PDPEs, and L1 may have changed them since. */
static const char *guest_rule(const struct nested_state *s,
			      const struct check_limits *l)
{
	const struct vmcb_control *c = &s->l2.control;
	struct check_limits then = *l;
	struct npt12 npt;
	const char *why;

	if (!(s->flags & STATE_SVME))
		return "a guest without EFER.SVME";
	if (s->vmcb12 % PAGE_SIZE || !space_writable(s->vmcb12, PAGE_SIZE))
		return "vmcb12 is not in memory";
	if ((s->int_ctl | s->kept) & ~offer.int_ctl)
		return "int_ctl has unknown bits";
	then.paging = s->l1.save.cr0 & CR0_PG;
	why = check_vmcb(&s->l2, &then);
	if (why)
		return why;
	if (offers(SVM_NPT) && c->np_control & VMCB_NP_ENABLE &&
	    !npt12_init(&npt, c->ncr3, s->l1.save.cr4, s->l1.save.efer,
			offer.phys_bits))
		return "nested tables of an unknown format";
	return l1_rule(s, l);
}

static const char *rule(const struct nested_state *s,
			const struct check_limits *l)
{
	if (s->version != NESTED_STATE_VERSION || s->size != sizeof(*s))
		return "another version";
	if (s->flags & ~(u64)STATE_FLAGS)
		return "unknown flags";
	if (s->vm_cr & ~VM_CR_KEPT)
		return "VM_CR has unknown bits";
	if (s->vm_cr & VM_CR_SVMDIS && s->flags & STATE_SVME)
		return "EFER.SVME where VM_CR forbids it";
	if (s->hsave % PAGE_SIZE || s->hsave & ~l->phys_mask)
		return "VM_HSAVE_PA is no page";
	return s->flags & STATE_GUEST ? guest_rule(s, l) : NULL;
}

/* L1 as it is between VMRUN and #VMEXIT, with the flag on: the way back turns
 * it off, and asks for nothing else. */
static void load_l1(struct vcpu *v, const struct nested_state *s)
{
	struct vmcb *vmcb01 = v->nested->vmcb01;

	vmcb01->control.int_ctl = 0;
	vmcb01->control.int_state = 0;
	vmcb01->control.event_inj = s->l1.control.event_inj;
	merge_save(&vmcb01->save, &s->l1.save);
	v->backend = vmcb01;
	v->gif = GIF_ON;
}

static void load_guest(struct vcpu *v, const struct nested_state *s)
{
	struct nested *n = v->nested;

	n->vmruns++;
	load_l1(v, s);
	vmcb02_choose(n, s->vmcb12);
	vmcb02_resume(n, &s->l2, s->int_ctl);
	n->copy12->control.event_inj = s->event12;
	n->gif = s->flags & STATE_VGIF;
	n->kept = s->kept;
	n->soft_rip = s->soft_rip;
	resume_guest(v);
	get_regs(&v->regs, &s->l2.save);
	if (v->stepping)
		vmcb_intercept(n->vmcb02, VMCB_EXIT_EXCEPTION + VECTOR_DB);
	if (s->flags & STATE_GIF)
		return;
	v->gif = GIF_OFF;
	v->l0_if = false;
}

const char *nested_load(struct vcpu *v, const struct nested_state *s)
{
	struct nested *n = v->nested;
	const char *why = rule(s, &n->limits);

	if (why)
		return why;
	nested_abandon(v);
	v->svme = s->flags & STATE_SVME;
	n->vm_cr = s->vm_cr;
	n->hsave = s->hsave;
	n->opened = false;
	if (s->flags & STATE_GUEST)
		load_guest(v, s);
	else
		vmm->set_gif(v, s->flags & STATE_GIF);
	return NULL;
}
