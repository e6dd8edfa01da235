/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/vmcb02.h"

#include "hv/mem.h"
#include "hv/nested/check.h"
#include "hv/nested/merge.h"
#include "hv/nested/shadow.h"
#include "hv/nested/wants.h"
#include "hv/shoot.h"
#include "hv/space.h"
#include "hv/svm/event.h"
#include "hv/svm/msrpm.h"
#include "hv/svm/quirk.h"
#include "lib/string.h"

/* Into VMRUN, though vmcb02_resume() calls it, too: 20 instructions. */
#define IN_VMRUN static inline __attribute__((always_inline))

/* Groups of fields by their clean bits (APM vol. 2, 15.15.3): all whose fields
 * vmcb02_make() would copy, check and merge. */
#define CLEAN_ALL                                                        \
	(VMCB_CLEAN_INTERCEPTS | VMCB_CLEAN_MAPS | VMCB_CLEAN_ASID |     \
	 VMCB_CLEAN_NP | VMCB_CLEAN_CR | VMCB_CLEAN_DR | VMCB_CLEAN_DT | \
	 VMCB_CLEAN_SEG)

/* L1 mostly runs the guest that it ran before. */
void vmcb02_choose(struct nested *n, u64 pa)
{
	struct pair *pair = &n->pairs[pa / PAGE_SIZE % PAIRS];

	if (n->pair->vmcb12 == pa)
		return;
	if (pair->vmcb12 != pa)
		pair->valid = false;
	pair->vmcb12 = pa;
	n->pair = pair;
	n->vmcb02 = pair->vmcb02;
	n->copy12 = pair->copy12;
}

/* Tables *******************************************************************/

/*
 * Which translations the CPU may use: those of an ASID that L1 used before, on
 * the same tables, without a flush. Everything else has to be as new as NPT12.
 */
IN_VMRUN bool needs_new_tables(struct nested *n)
{
	const struct vmcb_control *c = &n->copy12->control;
	u64 bit = 1ull << c->asid, root = c->ncr3;

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
IN_VMRUN bool find_format(struct nested *n)
{
	const struct vmcb_control *c = &n->copy12->control;
	const struct vmcb_save *l1 = &n->vmcb01->save;
	struct tables *t = &n->pair->tables;
	struct npt12 npt;

	if (t->ncr3 == c->ncr3 && t->cr4 == l1->cr4 && t->efer == l1->efer)
		return true;
	if (!npt12_init(&npt, c->ncr3, l1->cr4, l1->efer, offer.phys_bits))
		return false; /* and what is kept is still another's */
	*t = (struct tables){.ncr3 = c->ncr3,
			     .cr4 = l1->cr4,
			     .efer = l1->efer,
			     .npt = npt,
			     .generation = ~0ull};
	return true;
}

/*
 * The tables' lock may be held by a CPU that waits for all guests to be left.
 * From nested_quick_vmrun() L1 has been left, but not in the eyes of others;
 * who goes on into a guest comes back by shoot_enter().
 */
static void leave_for_lock(void)
{
	shoot_leave(this_cpu());
}

/* nCR3 of vmcb02. Without nested paging L1's guest has L1's memory. */
IN_VMRUN u64 choose_root(struct nested *n)
{
	struct tables *t = &n->pair->tables;

	if (!n->pair->nested_paging)
		return space_root();
	if (needs_new_tables(n)) {
		leave_for_lock();
		shadow_flush();
	}
	if (t->generation != shadow_generation) {
		leave_for_lock();
		t->generation = shadow_generation;
		t->root = shadow_root(&t->npt);
	}
	return t->root;
}

/* Features that the CPU has not *******************************************/

/*
 * INTn, INT3 and INTO push the address behind themselves. A CPU that does not
 * save that address does not load it either, and pushes RIP.
 */
static void add_soft_event(struct nested *n)
{
	struct vmcb *vmcb02 = n->vmcb02;

	if (!event_is_soft(vmcb02->control.event_inj) || cpu_has(SVM_NRIP) ||
	    !offers(SVM_NRIP))
		return;
	n->soft_rip = vmcb02->save.rip;
	vmcb02->save.rip = n->copy12->control.next_rip;
}

/* One that did not get through is where it was. */
static void remove_soft_event(struct nested *n)
{
	struct vmcb *vmcb02 = n->vmcb02;

	if (n->soft_rip && vmcb02->control.exit_int_info & VMCB_EVENT_VALID)
		vmcb02->save.rip = n->soft_rip;
}

/* What to do about the virtual interrupt that L1 asks for, on QEMU. */
static bool mends_virq(const struct nested *n)
{
	return n->copy12->control.int_ctl & VMCB_V_IRQ && cpu_is_tcg();
}

/* QEMU 10.0.2 ends itself when CR8 is set below such an interrupt: L0 does it
 * (exits.c). */
static void add_virq(struct nested *n)
{
	struct vmcb *vmcb02 = n->vmcb02;

	if (!mends_virq(n))
		return;
	vmcb02->control.int_ctl = event_hold_virtual(vmcb02->control.int_ctl);
	vmcb_intercept(vmcb02, VMCB_EXIT_CR_WRITE + 8);
}

static void remove_virq(struct nested *n)
{
	const struct vmcb_control *c12 = &n->copy12->control;

	if (!mends_virq(n))
		return;
	if (!(event_hold_virtual(c12->int_ctl) & VMCB_V_IRQ))
		n->vmcb02->control.int_ctl |= VMCB_V_IRQ;
	if (!wants_exit(c12, VMCB_EXIT_CR_WRITE + 8))
		vmcb_pass(n->vmcb02, VMCB_EXIT_CR_WRITE + 8);
}

static bool keeps_gif(const struct nested *n)
{
	return n->copy12->control.int_ctl & VMCB_V_GIF_ENABLE &&
	       offers(SVM_VGIF) && !cpu_has(SVM_VGIF);
}

/* A virtual interrupt waits for the virtual GIF of L1's guest. */
static void add_gif(struct nested *n)
{
	struct vmcb_control *c02 = &n->vmcb02->control;

	n->gif = n->copy12->control.int_ctl & VMCB_V_GIF;
	if (n->gif)
		return;
	n->kept = c02->int_ctl & VMCB_V_IRQ;
	c02->int_ctl &= ~VMCB_V_IRQ;
}

static void remove_gif(struct nested *n)
{
	struct vmcb_control *c02 = &n->vmcb02->control;

	if (keeps_gif(n))
		c02->int_ctl = (c02->int_ctl & ~VMCB_V_GIF) | n->kept |
			       (n->gif ? VMCB_V_GIF : 0);
}

/* Both blocks **************************************************************/

IN_VMRUN void merge_maps(struct nested *n)
{
	u64 pa = n->copy12->control.msrpm_pa & PT_ADDR;
	const void *map12 = phys_map(&space_l1, pa, 2ul * PAGE_SIZE);
	u64 *map02 = n->pair->msrpm;

	if (map12)
		merge_msrs(map02, phys_to_virt(svm_msrpm()), map12);
	else
		merge_msrs_init(map02);
	if (cpu_is_tcg())
		vmcb_trap_msr(map02, MSR_PAT); /* hv/nested/msrs.c */
}

/*
 * QEMU's CPU takes EFER.LMA as it is, where others make it of LME and PG. It
 * refuses upper bits of CR3 in any mode of the guest, for L0 is in long mode;
 * outside of it they mean nothing, as PAE does without paging, but see
 * svm_add_pae().
 */
static void fit_modes(struct vmcb_save *s)
{
	if (!cpu_is_tcg())
		return;
	if (s->efer & EFER_LME && s->cr0 & CR0_PG) {
		s->efer |= EFER_LMA;
		return;
	}
	s->efer &= ~(u64)EFER_LMA;
	s->cr3 = (u32)s->cr3;
	svm_add_pae(s);
}

/* Everything, from the copy. */
IN_VMRUN void merge_all(struct nested *n)
{
	const struct vmcb_control *c12 = &n->copy12->control;
	struct vmcb *vmcb02 = n->vmcb02;
	const struct merge m = {
		.iopm = offer.iopm,
		.msrpm = virt_to_phys(n->pair->msrpm),
		.asid = c12->asid + 1,
		.virtual_load = cpu_has(SVM_VLS) && n->pair->nested_paging,
		.virtual_gif = cpu_has(SVM_VGIF) && offers(SVM_VGIF),
	};

	n->pair->iret_exits = wants_exit(c12, VMCB_EXIT_IRET);
	n->pair->debug_exits = wants_exit(c12, VMCB_EXIT_EXCEPTION + VECTOR_DB);
	merge_maps(n);
	merge_control(&vmcb02->control, c12, &m);
	if (cpu_is_tcg() && (wants_exit(c12, VMCB_EXIT_EXCEPTION + VECTOR_BP) ||
			     wants_exit(c12, VMCB_EXIT_EXCEPTION + VECTOR_OF)))
		vmcb_intercept(vmcb02, VMCB_EXIT_SWINT);
	if (cpu_is_tcg())
		merge_reads(vmcb02->control.intercept, c12->intercept);
	merge_save(&vmcb02->save, &n->copy12->save);
	fit_modes(&vmcb02->save);
	if (!n->pair->nested_paging)
		vmcb02->save.g_pat = n->vmcb01->save.g_pat;
}

/* What of @vmcb12 has no clean bit, and little that has. The save area goes
 * past the copy, where nobody looks for it. */
static void copy_rest(const struct pair *pair, const struct vmcb *vmcb12)
{
	struct vmcb_control *to = &pair->copy12->control;
	const struct vmcb_control *from = &vmcb12->control;
	struct vmcb_save *s02 = &pair->vmcb02->save;

	to->tlb_control = from->tlb_control;
	to->int_ctl = from->int_ctl;
	to->int_vector = from->int_vector;
	to->int_state = from->int_state;
	to->event_inj = from->event_inj;
	to->next_rip = from->next_rip;
	s02->rip = vmcb12->save.rip;
	s02->rsp = vmcb12->save.rsp;
	s02->rax = vmcb12->save.rax;
	s02->rflags = vmcb12->save.rflags;
	s02->cr2 = vmcb12->save.cr2;
}

/* Whether what L1 did not change is as it was in the last VMRUN, and L1's own
 * mode, which says how to read it. */
static bool is_clean(const struct nested *n, const struct vmcb *vmcb12)
{
	const struct pair *pair = n->pair;
	const struct vmcb_control *c = &vmcb12->control;
	const struct vmcb_control *copy = &pair->copy12->control;
	const struct vmcb_save *l1 = &n->vmcb01->save;

	return pair->valid && pair->tables.cr4 == l1->cr4 &&
	       pair->tables.efer == l1->efer &&
	       n->limits.paging == !!(l1->cr0 & CR0_PG) &&
	       (c->clean & CLEAN_ALL) == CLEAN_ALL &&
	       !((c->int_ctl ^ copy->int_ctl) & VMCB_V_GIF_ENABLE) &&
	       c->virt_ext == copy->virt_ext && offers(SVM_CLEAN);
}

/* Not inline, for the sake of the common case's stack. */
static __attribute__((noinline)) bool take_all(struct nested *n,
					       const struct vmcb *vmcb12)
{
	struct pair *pair = n->pair;

	merge_copy(pair->copy12, vmcb12);
	pair->nested_paging = offers(SVM_NPT) &&
			      pair->copy12->control.np_control & VMCB_NP_ENABLE;
	n->limits.paging = n->vmcb01->save.cr0 & CR0_PG;
	if (check_vmcb(pair->copy12, &n->limits) ||
	    (pair->nested_paging
		     ? !find_format(n)
		     : !!check_pdpes(pair->copy12, &n->limits, &space_l1)))
		return false;
	merge_all(n);
	return true;
}

static bool take_rest(struct nested *n, const struct vmcb *vmcb12)
{
	const struct pair *pair = n->pair;
	const struct vmcb_save *s02 = &pair->vmcb02->save;
	struct vmcb *copy = pair->copy12;

	copy_rest(pair, vmcb12);
	if (!(copy->control.event_inj & VMCB_EVENT_VALID))
		return true;
	/* The guest's mode may be another than when all was read. */
	copy->save.cs = s02->cs;
	copy->save.cr0 = s02->cr0;
	copy->save.efer = s02->efer;
	return !check_event(copy, &n->limits);
}

bool vmcb02_make(struct nested *n, const struct vmcb *vmcb12)
{
	struct pair *pair = n->pair;
	struct vmcb_control *c02 = &pair->vmcb02->control;
	bool legal = is_clean(n, vmcb12) ? take_rest(n, vmcb12)
					 : take_all(n, vmcb12);

	pair->valid = legal;
	if (!legal)
		return false;
	merge_run(c02, &pair->copy12->control, offer.int_ctl,
		  cpu_has(SVM_FLUSH));
	c02->ncr3 = choose_root(n);
	add_virq(n);
	n->kept = 0;
	n->soft_rip = 0;
	if (keeps_gif(n))
		add_gif(n);
	if (c02->event_inj & VMCB_EVENT_VALID)
		add_soft_event(n);
	return true;
}

void vmcb02_resume(struct nested *n, const struct vmcb *l2, u32 int_ctl)
{
	struct pair *pair = n->pair;
	struct vmcb_control *c02 = &pair->vmcb02->control;

	*pair->copy12 = *l2;
	memset(pair->vmcb02, 0, sizeof(*pair->vmcb02));
	n->limits.paging = n->vmcb01->save.cr0 & CR0_PG;
	pair->nested_paging =
		offers(SVM_NPT) && l2->control.np_control & VMCB_NP_ENABLE;
	if (pair->nested_paging)
		(void)find_format(n);
	merge_all(n);
	merge_exit(c02, &l2->control);
	c02->int_ctl = int_ctl;
	c02->int_vector = l2->control.int_vector;
	c02->tlb_control = VMCB_TLB_FLUSH_ALL;
	c02->ncr3 = choose_root(n);
	merge_save(&pair->vmcb02->save, &l2->save);
	fit_modes(&pair->vmcb02->save);
	if (mends_virq(n))
		vmcb_intercept(pair->vmcb02, VMCB_EXIT_CR_WRITE + 8);
	pair->valid = false;
}

void vmcb02_unmake(struct nested *n)
{
	remove_gif(n);
	remove_virq(n);
	remove_soft_event(n);
}
