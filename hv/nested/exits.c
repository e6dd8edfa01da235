/* SPDX-License-Identifier: Apache-2.0 */
/* Exits of L1's guest: whose they are. */
#include "hv/gwalk.h"
#include "hv/insn.h"
#include "hv/layout.h"
#include "hv/mem.h"
#include "hv/nested/assist.h"
#include "hv/nested/merge.h"
#include "hv/nested/reads.h"
#include "hv/nested/save.h"
#include "hv/nested/shadow.h"
#include "hv/nested/vmrun.h"
#include "hv/nested/wants.h"
#include "hv/percpu.h"
#include "hv/ports.h"
#include "hv/space.h"
#include "hv/svm/event.h"
#include "hv/svm/msrpm.h"
#include "hv/svm/quirk.h"
#include "lib/cpu.h"

#define RARE __attribute__((noinline))
#define LOCK 0xf0

static bool wants_msr_exit(const struct vcpu *v, const struct exit *exit)
{
	u64 map = v->nested->copy12->control.msrpm_pa & PT_ADDR;

	return wants_msr(&space_l1, map, (u32)v->regs.gpr[RCX], exit->info1);
}

bool l1_wants(const struct vcpu *v, const struct exit *exit)
{
	const struct vmcb_control *c12 = &v->nested->copy12->control;

	if (!wants_exit(c12, exit->code))
		return false;
	if (exit->slot == EXIT_io)
		return wants_port(&space_l1, c12->iopm_pa & PT_ADDR,
				  exit->info1);
	if (exit->slot == EXIT_msr)
		return wants_msr_exit(v, exit);
	return true;
}

/*
 * L2 raises again what the instruction at its RIP has raised: a soft event
 * would push the next RIP, which this exit has not told or has overwritten, and
 * QEMU combines no injected fault with the next one to #DF. L1's event is
 * injected again, with the next RIP that L1 gave.
 */
static void raise_again(struct vcpu *v)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;

	if (!v->own_event)
		c02->next_rip = v->nested->copy12->control.next_rip;
	else if (event_comes_again(c02->event_inj))
		c02->event_inj = 0;
}

static enum result on_page_fault(struct vcpu *v, const struct exit *exit)
{
	struct nested *n = v->nested;
	struct exit at_l1 = *exit;
	u64 info;

	if (!n->pair->nested_paging)
		return NOT_MINE;
	switch (shadow_fault(npt12_of(n), exit->info2, exit->info1, &info)) {
	case SHADOW_FILLED:
		if (n->pair->tables.generation != shadow_generation)
			nested_flush(v);
		if (n->vmcb02->control.event_inj & VMCB_EVENT_VALID)
			raise_again(v);
		return SAME_RIP;
	case SHADOW_FAULT:
		n->vmcb02->control.exit_info_1 = info;
		assist_page_fault(v);
		reflect(v);
		n->reflected++;
		return REFLECTED;
	case SHADOW_TRAPPED:
		at_l1.info2 = info;
		return run_page_fault(v, &at_l1);
	}
	return NOT_MINE;
}

/* Of the INTn that VMRUN began with, once it is delivered, nothing is left. */
static void settle_soft_event(struct vcpu *v)
{
	struct nested *n = v->nested;

	if (!(n->vmcb02->control.event_inj & VMCB_EVENT_VALID) || v->own_event)
		n->soft_rip = 0;
}

/* The IRET that L0 has L2 step over has not got through: NMIs wait for it as
 * they did before. */
static void give_up_step(struct vcpu *v)
{
	v->stepping = v->at_iret = false;
	v->nmi_blocked = true;
	vmm->watch_iret(v, true);
	if (!v->debug_exits)
		vmcb_pass(v->backend, VMCB_EXIT_EXCEPTION + VECTOR_DB);
	if (!v->steps_itself)
		v->regs.rflags &= ~(u64)RFLAGS_TF;
}

/* A step over an IRET, and NMIs, are L0's whatever L1 wants. */
static bool is_own(struct vcpu *v, const struct exit *exit)
{
	if (exit->slot == EXIT_nmi)
		return true;
	if (!v->stepping)
		return false;
	if (exit->code == VMCB_EXIT_EXCEPTION + VECTOR_DB)
		return true;
	give_up_step(v);
	return false;
}

static enum result reflect_exit(struct vcpu *v, const struct exit *exit)
{
	assist(v, exit);
	reflect(v);
	v->nested->reflected++;
	return REFLECTED;
}

/*
 * INT3, INTO or INTn, which L1 does not intercept, is done by an injection. A
 * fault of its gate's returns behind the instruction then: the CPU has no place
 * for the next RIP.
 */
static enum result deliver_soft(struct vcpu *v, const struct exit *exit,
				const struct event *event)
{
	u64 next = insn_next(v, exit, 0);

	if (!next)
		return deny(v, VECTOR_UD);
	v->nested->soft_rip = v->regs.rip;
	v->regs.rip = next;
	vmm->inject(v, event);
	return SAME_RIP;
}

/* QEMU asks the intercept of INTn for INT3 and INTO, too, and for these none
 * of exceptions (merge_all() in vmcb02.c). */
static enum result on_soft_interrupt(struct vcpu *v, const struct exit *exit)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;
	struct event event = {.type = EVENT_SOFT};
	struct exit other = *exit;
	struct guest_view view;
	struct x86_insn insn;

	vmm->view_code(v, &view);
	if (!insn_fetch(v, &view, &insn))
		return SAME_RIP; /* another CPU has changed it */
	event.vector = (u8)insn.imm;
	if (insn.kind == X86_INT3 || insn.kind == X86_INTO) {
		event.type = EVENT_EXCEPTION;
		event.vector = insn.kind == X86_INT3 ? VECTOR_BP : VECTOR_OF;
		other.slot = EXIT_exception;
		other.code = VMCB_EXIT_EXCEPTION + event.vector;
	}
	c02->exit_code = other.code;
	return l1_wants(v, &other) ? reflect_exit(v, &other)
				   : deliver_soft(v, exit, &event);
}

/* CPUs that can write CR8 outside 64-bit mode do so by LOCK MOV CR0, which the
 * decoder does not know. Returns the instruction's length; 0: there is none. */
static unsigned decode_cr8_write(struct vcpu *v, u64 *value)
{
	u8 bytes[X86_INSN_MAX];
	struct guest_view view;
	struct x86_insn insn;
	unsigned n, lock;

	vmm->view_code(v, &view);
	n = insn_bytes(v, &view, bytes);
	lock = n && bytes[0] == LOCK;
	if (x86_decode(bytes + lock, n - lock, view.mode, &insn) != X86_OK ||
	    insn.kind != X86_MOV_CR)
		return 0;
	*value = x86_cut(v->regs.gpr[insn.rm], view.mode == X86_64 ? 8 : 4);
	return lock + insn.len;
}

/* L0's wish alone, on QEMU (vmcb02.c). Without V_INTR_MASKING CR8 is the
 * virtual TPR and the APIC's (APM vol. 2, 15.21.2). */
static enum result on_cr8_write(struct vcpu *v, const struct exit *exit)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;
	u64 value;
	unsigned len = decode_cr8_write(v, &value);

	if (!len)
		return deny(v, VECTOR_UD);
	if (value > CR8_MASK)
		return deny(v, VECTOR_GP);
	c02->int_ctl = (c02->int_ctl & ~VMCB_V_TPR_MASK) | (u32)value;
	if (!(c02->int_ctl & VMCB_V_INTR_MASKING))
		write_cr8(value);
	vmm->advance(v, insn_next(v, exit, len));
	return SAME_RIP;
}

/*
 * A string between a port and memory is done by the CPU, in L1's guest, which
 * for one entry has the ports that neither L0 nor L1 wants.
 */
static void open_ports(struct nested *n)
{
	u64 map = n->copy12->control.iopm_pa & PT_ADDR;
	const u8 *map01 = phys_to_virt(svm_iopm());

	for (u64 at = 0; at < (u64)IOPM_PAGES * PAGE_SIZE; at += PAGE_SIZE)
		merge_ports((u64 *)(n->iopm + at), (const u64 *)(map01 + at),
			    phys_map(&space_l1, map + at, PAGE_SIZE));
	n->vmcb02->control.iopm_pa = virt_to_phys(n->iopm);
	n->opened = true;
}

/* QEMU's CPU reads all control registers, or the TSC, without an exit. */
static void open_reads(struct nested *n, u64 code)
{
	vmcb_pass(n->vmcb02, (u32)code);
	n->opened = true;
}

static void close_exits(struct nested *n)
{
	struct vmcb_control *c02 = &n->vmcb02->control;

	c02->iopm_pa = offer.iopm;
	if (cpu_is_tcg())
		merge_reads(c02->intercept, n->copy12->control.intercept);
	n->opened = false;
}

/* Whether the CPU does not tell of what. */
static bool is_any_read(u64 code)
{
	return cpu_is_tcg() &&
	       (code == VMCB_EXIT_CR_READ || code == VMCB_EXIT_RDTSC);
}

/* A read of which the CPU does not tell what. What L0 cannot do for the guest,
 * that does in one entry without such exits. */
static RARE enum result on_read(struct vcpu *v, const struct exit *exit)
{
	struct nested *n = v->nested;
	struct exit right = *exit;
	struct x86_insn insn;
	bool found = reads_find(v, &insn, &right.code);

	if (wants_exit(&n->copy12->control, right.code)) {
		n->vmcb02->control.exit_code = right.code;
		return reflect_exit(v, &right);
	}
	if (found && reads_do(v, &insn))
		return NEXT_INSN;
	open_reads(n, exit->code);
	return SAME_RIP;
}

/* At a MOV to a control register; not if what the CPU has stored is of L0. */
static bool is_at_mov_cr(struct vcpu *v)
{
	struct guest_view view;
	struct x86_insn insn;

	if (v->nested->vmcb02->save.cr3 == read_cr3() && v->regs.rip >= HV_BASE)
		return false;
	vmm->view_code(v, &view);
	return insn_fetch(v, &view, &insn) && insn.dst == X86_CR;
}

/*
 * QEMU's CPU ends L2 as VMRUN does that refuses a block where a MOV to CR3 or
 * CR4 has reserved bits: that is a #GP. Other illegal ones it takes, and
 * refuses vmcb02 at L0's next VMRUN; L0's own registers are in the block then.
 * L1 has L2 as it was at L1's VMRUN.
 */
static RARE enum result on_invalid(struct vcpu *v, const struct exit *exit)
{
	struct nested *n = v->nested;
	const struct vmcb *vmcb12;

	if (is_at_mov_cr(v))
		return deny(v, VECTOR_GP);
	vmcb12 = space_writable(n->pair->vmcb12, PAGE_SIZE);
	merge_save(&n->vmcb02->save, &vmcb12->save);
	get_regs(&v->regs, &vmcb12->save);
	n->vmcb02->control.exit_code = VMCB_EXIT_INVALID;
	n->pair->valid = false;
	return reflect_exit(v, exit);
}

/* What L1 does not want. */
static RARE enum result own_exit(struct vcpu *v, const struct exit *exit)
{
	if (exit->code == VMCB_EXIT_CR_WRITE + 8)
		return on_cr8_write(v, exit);
	if (exit->slot != EXIT_io || !(exit->info1 & VMCB_IO_STRING) ||
	    ports_are_trapped(exit))
		return NOT_MINE;
	open_ports(v->nested);
	return SAME_RIP;
}

/* Rare, and kept out of the path of all other exits. */
static RARE void settle(struct vcpu *v)
{
	struct nested *n = v->nested;

	if (n->soft_rip)
		settle_soft_event(v);
	if (n->opened)
		close_exits(n);
	if (n->shakes)
		shake(v);
}

enum result nested_exit(struct vcpu *v, const struct exit *exit)
{
	struct nested *n = v->nested;

	if (n->soft_rip | n->opened | n->shakes)
		settle(v);
	if (is_own(v, exit))
		return NOT_MINE;
	if (exit->slot == EXIT_npf)
		return on_page_fault(v, exit);
	if (exit->code <= VMCB_EXIT_RDTSC && is_any_read(exit->code))
		return on_read(v, exit);
	if (exit->slot == EXIT_invalid)
		return on_invalid(v, exit);
	if (exit->slot == EXIT_swint && cpu_is_tcg())
		return on_soft_interrupt(v, exit);
	return l1_wants(v, exit) ? reflect_exit(v, exit) : own_exit(v, exit);
}

void nested_leave(struct vcpu *v, u64 code)
{
	struct nested *n = v->nested;

	if (n->opened)
		close_exits(n);
	reflect_as(v, code, 0, 0);
	n->made_up++;
}

static bool take(struct vcpu *v, u64 code)
{
	if (!wants_exit(&v->nested->copy12->control, code))
		return false;
	nested_leave(v, code);
	return true;
}

bool nested_take(struct vcpu *v, enum exit_slot slot)
{
	static const u64 codes[EXIT_SLOTS] = {
		[EXIT_nmi] = VMCB_EXIT_NMI,
		[EXIT_init] = VMCB_EXIT_INIT,
		[EXIT_shutdown] = VMCB_EXIT_SHUTDOWN,
	};

	return take(v, codes[slot]);
}

bool nested_take_fault(struct vcpu *v, u8 vector)
{
	return take(v, VMCB_EXIT_EXCEPTION + vector);
}
