/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/assist.h"

#include "hv/gwalk.h"
#include "hv/insn.h"
#include "hv/space.h"
#include "hv/svm/quirk.h"
#include "lib/x86.h"

#define MOV_CR (1ull << 63)

u8 assist_kinds[VMCB_EXIT_CHOSEN_MAX + 1];

static void add_kind(unsigned first, unsigned last, u8 kind)
{
	for (unsigned code = first; code <= last; code++)
		assist_kinds[code] |= kind;
}

void assist_init(void)
{
	for (u64 code = 0; code <= VMCB_EXIT_CHOSEN_MAX; code++)
		if (vmcb_exits_before_insn(code))
			assist_kinds[code] = ASSIST_NEXT;
	add_kind(VMCB_EXIT_CR_READ, VMCB_EXIT_EXCEPTION - 1, ASSIST_OPERAND);
	add_kind(VMCB_EXIT_INVLPG, VMCB_EXIT_INVLPG, ASSIST_OPERAND);
	add_kind(VMCB_EXIT_SWINT, VMCB_EXIT_SWINT, ASSIST_OPERAND);
	add_kind(VMCB_EXIT_IOIO, VMCB_EXIT_IOIO, ASSIST_DECODES);
	if (cpu_is_tcg()) /* RDTSCP exits so, too */
		add_kind(VMCB_EXIT_RDTSC, VMCB_EXIT_RDTSC, ASSIST_DECODES);
}

static bool is_kind(const struct exit *exit, u8 kind)
{
	return exit->code <= VMCB_EXIT_CHOSEN_MAX &&
	       assist_kinds[exit->code] & kind;
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

void assist(struct vcpu *v, const struct exit *exit)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;
	unsigned len = 0;

	if (is_kind(exit, ASSIST_OPERAND) && offers(SVM_ASSIST) &&
	    !cpu_has(SVM_ASSIST))
		len = decode(v, exit);
	if (exit->slot == EXIT_io)
		assist_io(v, exit);
	if (!cpu_has(SVM_NRIP))
		c02->next_rip = offers(SVM_NRIP) && is_kind(exit, ASSIST_NEXT)
					? insn_next(v, exit, len)
					: 0;
}

/* Of an instruction that was not fetched there are none. */
void assist_page_fault(struct vcpu *v)
{
	struct vmcb_control *c02 = &v->nested->vmcb02->control;
	struct guest_view view;

	if (!cpu_has(SVM_NRIP))
		c02->next_rip = 0;
	if (!offers(SVM_ASSIST) || cpu_has(SVM_ASSIST) ||
	    c02->exit_info_1 & VMCB_NPF_FETCH)
		return;
	vmm->view_code(v, &view);
	c02->insn_len = (u8)insn_bytes(v, &view, c02->insn_bytes);
}
