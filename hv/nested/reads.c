/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/reads.h"

#include "hv/gwalk.h"
#include "hv/insn.h"
#include "hv/nested.h"
#include "hv/nested/wants.h"
#include "lib/cpu.h"

bool reads_find(struct vcpu *v, struct x86_insn *insn, u64 *code)
{
	struct guest_view view;

	*code = v->nested->vmcb02->control.exit_code;
	vmm->view_code(v, &view);
	if (!insn_fetch(v, &view, insn))
		return false;
	*code = code_of_read(insn, *code);
	return true;
}

static u64 control_register(const struct vmcb *vmcb, unsigned number)
{
	u32 ctl = vmcb->control.int_ctl;

	switch (number) {
	case 0:
		return vmcb->save.cr0;
	case 2:
		return vmcb->save.cr2;
	case 3:
		return vmcb->save.cr3;
	case 4:
		return vmcb->save.cr4;
	default:
		return ctl & VMCB_V_INTR_MASKING ? ctl & CR8_MASK : read_cr8();
	}
}

static void read_counter(struct vcpu *v)
{
	u64 tsc = 0;

	nested_read_tsc(v, &tsc);
	v->regs.gpr[RAX] = (u32)tsc;
	v->regs.gpr[RDX] = tsc >> 32;
}

bool reads_do(struct vcpu *v, const struct x86_insn *insn)
{
	const struct vmcb *vmcb02 = v->nested->vmcb02;
	u64 *gpr = v->regs.gpr;

	switch (insn->kind) {
	case X86_MOV_CR:
		x86_reg_write(insn, gpr, insn->rm, insn->op_bytes,
			      control_register(vmcb02, insn->reg));
		return true;
	case X86_SMSW:
		if (!insn->has_mem)
			x86_reg_write(insn, gpr, insn->rm, insn->op_bytes,
				      vmcb02->save.cr0);
		return !insn->has_mem;
	case X86_RDTSCP:
		gpr[RCX] = (u32)rdmsr(MSR_TSC_AUX);
		read_counter(v);
		return true;
	case X86_RDTSC:
		read_counter(v);
		return true;
	default:
		return false;
	}
}
