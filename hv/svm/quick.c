/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor executes a few of SVM's instructions around each VMRUN, and most
 * exits of its guest are its own. They change nothing that the core would look
 * at before a guest goes on, so one does at once.
 */
#include "hv/svm/quick.h"

#include "hv/mem.h"
#include "hv/nested.h"
#include "hv/percpu.h"
#include "hv/shoot.h"
#include "hv/space.h"
#include "hv/svm/ahead.h"
#include "hv/svm/gif.h"
#include "hv/svm/memo.h"
#include "lib/cpu.h"
#include "lib/marker.h"
#include "lib/svm_insn.h"

/* VMRUN had to wait for a lock: what other CPUs have shot since then. */
static __attribute__((noinline, cold)) void come_back(struct vcpu *v)
{
	while (!shoot_enter(v->cpu)) {
		vmm->flush(v);
		nested_flush(v);
	}
}

/* The block that runs next. */
static inline u64 go_on(struct vcpu *v, struct vmcb *left)
{
	left->control.tlb_control = VMCB_TLB_KEEP;
	left->control.event_inj = 0;
	if (!v->cpu->in_guest)
		come_back(v);
	if (v->l0_if)
		sti();
	else
		cli();
	return virt_to_phys(v->backend);
}

/* SVM's instructions, of L1 ************************************************/

/* Behind the one that exited; 0: that costs a decoder. */
static inline u64 next_of(const struct vcpu *v, const struct vmcb *vmcb)
{
	return svm_has_next_rip ? vmcb->control.next_rip
				: memo_next(v, vmcb->save.rip);
}

static inline void count(struct vcpu *v, const struct vmcb *vmcb,
			 enum exit_slot slot, u64 rip)
{
	account_exit(
		&v->cpu->account, 1,
		&(struct exit){.slot = slot, .code = vmcb->control.exit_code},
		rip, BY_L0);
}

/* The instruction is done, and L1 or its guest goes on. */
static inline u64 finish(struct vcpu *v, struct vmcb *vmcb)
{
	vmcb->save.rflags &= ~(u64)RFLAGS_RF;
	vmcb->control.int_state &= ~VMCB_SHADOW;
	return go_on(v, vmcb);
}

/* Not inline, nor are the others: what one needs of registers is not saved for
 * all. */
static __attribute__((noinline)) u64 quick_gif(struct vcpu *v,
					       struct vmcb *vmcb, bool on)
{
	u64 rip = vmcb->save.rip, next = next_of(v, vmcb);

	/* What has waited for it is the core's. */
	if (!next || (on && (v->nmi_pending || v->cpu->requests)))
		return 0;
	v->injected = 0;
	vmcb->save.rip = next;
	count(v, vmcb, on ? EXIT_stgi : EXIT_clgi, rip);
	svm_set_gif(v, on);
	return finish(v, vmcb);
}

/* Whether rAX is RAX: an address above 4 GiB may be meant by 64-bit code
 * without a prefix only. */
static bool takes_rax(const struct vmcb *vmcb, u64 next)
{
	const struct vmcb_save *s = &vmcb->save;

	return !(s->rax & ~SHORT_PAGE) ||
	       (!(s->rax % PAGE_SIZE) && memo_is_64bit(s) &&
		next - s->rip == SVM_INSN_LEN);
}

/* VMLOAD and VMSAVE move what L0 does not use, so the CPU may do it for L1, at
 * the same address. */
static bool move(struct vcpu *v, const struct vmcb *vmcb, enum exit_slot slot)
{
	u64 pa = vmcb->save.rax;

	if (slot == EXIT_vmrun)
		return nested_quick_vmrun(v);
	if (!space_writable(pa, PAGE_SIZE))
		return false;
	if (slot == EXIT_vmsave)
		vmsave(pa);
	else
		vmload(pa);
	return true;
}

static __attribute__((noinline)) u64 quick_block(struct vcpu *v,
						 struct vmcb *vmcb,
						 enum exit_slot slot)
{
	u64 rip = vmcb->save.rip, next = next_of(v, vmcb);

	v->injected = 0;
	if (!next || !takes_rax(vmcb, next) || !move(v, vmcb, slot))
		return 0;
	count(v, vmcb, slot, rip);
	vmcb->save.rip = next;
	return finish(v, vmcb);
}

/* What stands behind it as well, if that is VMRUN, too. */
static __attribute__((noinline)) u64 quick_vmload(struct vcpu *v,
						  struct vmcb *vmcb)
{
	u64 rip = vmcb->save.rip;
	const struct ahead *a = ahead_run(v, 0);

	if (!a)
		return quick_block(v, vmcb, EXIT_vmload);
	v->injected = 0;
	count(v, vmcb, EXIT_vmload, rip);
	if (a->vmrun && nested_quick_vmrun(v)) {
		vmcb->save.rip = a->vmrun;
		if (v->level == 2) {
			v->proven = a->id;
			MARK(MARK_ENTER);
		}
	}
	return finish(v, vmcb);
}

static inline u64 quick_insn(struct vcpu *v, struct vmcb *vmcb)
{
	if (!v->svme || vmcb->save.rflags & RFLAGS_TF)
		return 0;
	switch (vmcb->control.exit_code) {
	case VMCB_EXIT_VMRUN:
		return quick_block(v, vmcb, EXIT_vmrun);
	case VMCB_EXIT_VMLOAD:
		return quick_vmload(v, vmcb);
	case VMCB_EXIT_VMSAVE:
		return quick_block(v, vmcb, EXIT_vmsave);
	case VMCB_EXIT_STGI:
		return quick_gif(v, vmcb, true);
	case VMCB_EXIT_CLGI:
		return quick_gif(v, vmcb, false);
	default:
		return 0;
	}
}

/* Exits of L1's guest *******************************************************/

/* L1's, which saves its guest's registers next. */
static __attribute__((noinline)) u64 quick_guest(struct vcpu *v,
						 struct vmcb *vmcb)
{
	u64 code = vmcb->control.exit_code;

	if (vmcb->control.exit_int_info & VMCB_EVENT_VALID ||
	    code >= SVM_EXIT_CODES || !nested_quick_exit(v, svm_slot_of[code]))
		return 0;
	if (ahead_is_worth(v) && ahead_run(v, v->proven) && !v->proven)
		MARK(MARK_LEAVE);
	return go_on(v, vmcb);
}

u64 svm_quick_exit(struct vcpu *v)
{
	return v->level == 1 ? quick_insn(v, v->backend)
			     : quick_guest(v, v->backend);
}
