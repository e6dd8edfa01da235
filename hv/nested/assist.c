/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/assist.h"

#include "hv/gwalk.h"
#include "hv/insn.h"
#include "hv/space.h"
#include "lib/x86.h"

#define MOV_CR	   (1ull << 63)
#define ALL_BYTES  15

/* Exits in front of an instruction, which L1 will step over. */
static bool has_next_rip(const struct exit *exit)
{
	u64 code = exit->code;

	if (code < VMCB_EXIT_EXCEPTION)
		return true;
	if (code < VMCB_EXIT_INTR)
		return code == VMCB_EXIT_EXCEPTION + VECTOR_BP ||
		       code == VMCB_EXIT_EXCEPTION + VECTOR_OF;
	return code >= VMCB_EXIT_CR0_SELECTED &&
	       code <= VMCB_EXIT_CHOSEN_MAX && code != VMCB_EXIT_SHUTDOWN &&
	       code != VMCB_EXIT_TASK_SWITCH &&
	       code != VMCB_EXIT_FERR_FREEZE;
}

/* The operand of an access to a control or debug register. */
static u64 register_operand(const struct x86_insn *insn)
{
	if (insn->kind == X86_MOV_CR)
		return MOV_CR | insn->rm;
	return insn->kind == X86_MOV_DR ? insn->rm : 0;
}

static u64 address_operand(const struct vcpu *v, const struct guest_view *view,
			   const struct x86_insn *insn)
{
	u64 offset = x86_offset(insn, v->regs.gpr, v->regs.rip);

	return x86_linear(insn, insn->mem.seg, view->seg_base[insn->mem.seg],
			  offset);
}

static bool wants_operand(const struct exit *exit)
{
	return exit->code < VMCB_EXIT_EXCEPTION ||
	       exit->slot == EXIT_invlpg || exit->slot == EXIT_swint;
}

/* Returns the instruction's length; 0: it is not there. */
static unsigned decode(struct vcpu *v, const struct exit *exit)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;
	struct guest_view view;
	struct x86_insn insn;

	vmm->view(v, &view);
	if (!insn_fetch(v, &view, &insn))
		return 0;
	if (exit->slot == EXIT_invlpg)
		c02->exit_info_1 = address_operand(v, &view, &insn);
	else if (exit->slot == EXIT_swint)
		c02->exit_info_1 = insn.imm;
	else
		c02->exit_info_1 = register_operand(&insn);
	return insn.len;
}

/* Nothing in it can choose an address size: an opcode without an immediate,
 * behind 66 if the data has not the size that is the mode's default. */
static bool is_bare(u64 info1, u64 len, enum x86_mode mode)
{
	u64 bytes = info1 >> VMCB_IO_BYTES_SHIFT & VMCB_IO_BYTES_MASK;
	bool prefixed = bytes == (mode == X86_16 ? 4 : 2);

	return !(info1 & VMCB_IO_STRING) && len == 1u + prefixed;
}

/* QEMU 10.0 does not tell the address size and the segment (15.10.2). Most
 * accesses are bare, and where they cost L1 an exit they are frequent. */
static void assist_io(struct vcpu *v, const struct exit *exit)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;
	struct guest_view view;
	struct x86_insn insn;
	u64 bytes, seg = 0;

	if (exit->info1 & VMCB_IO_ADDR_MASK)
		return;
	vmm->view(v, &view);
	bytes = 2u << view.mode;
	if (!is_bare(exit->info1, exit->info2 - v->regs.rip, view.mode) &&
	    insn_fetch(v, &view, &insn)) {
		bytes = insn.addr_bytes;
		seg = insn.mem.seg;
	}
	c02->exit_info_1 |= bytes / 2 * VMCB_IO_ADDR_16;
	if (offers(SVM_ASSIST))
		c02->exit_info_1 |= seg << VMCB_IO_SEG_SHIFT;
}

static struct vmcb_control *control12(const struct vcpu *v)
{
	struct vmcb *vmcb12 = space_writable(v->nested->pair->vmcb12, PAGE_SIZE);

	return &vmcb12->control;
}

void assist(struct vcpu *v, const struct exit *exit)
{
	struct vmcb_control *c12 = control12(v);
	bool operand = wants_operand(exit) && offers(SVM_ASSIST) &&
		       !cpu_has(SVM_ASSIST);
	u64 next = 0;
	unsigned len = 0;

	if (operand)
		len = decode(v, exit);
	if (exit->slot == EXIT_io)
		assist_io(v, exit);
	if (offers(SVM_NRIP)) {
		if (cpu_has(SVM_NRIP))
			next = v->nested->vmcb02->control.next_rip;
		else if (has_next_rip(exit))
			next = insn_next(v, exit, len);
		c12->next_rip = next;
	}
	if (offers(SVM_ASSIST))
		c12->insn_len = 0;
}

void assist_page_fault(struct vcpu *v)
{
	const struct vmcb_control *c02 = &v->nested->vmcb02->control;
	struct vmcb_control *c12 = control12(v);
	struct guest_view view;

	if (offers(SVM_NRIP))
		c12->next_rip = 0;
	if (!offers(SVM_ASSIST))
		return;
	c12->insn_len = 0;
	if (c02->exit_info_1 & VMCB_NPF_FETCH)
		return;
	if (cpu_has(SVM_ASSIST)) {
		c12->insn_len = c02->insn_len;
		__builtin_memcpy(c12->insn_bytes, c02->insn_bytes, ALL_BYTES);
		return;
	}
	vmm->view(v, &view);
	c12->insn_len = (u8)insn_bytes(v, &view, c12->insn_bytes);
}
