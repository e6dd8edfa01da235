/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/insn.h"

#include "hv/code.h"
#include "hv/nested.h"
#include "hv/run.h"
#include "hv/space.h"
#include "lib/x86.h"

#define HLT 0xf4

const struct phys *insn_memory(const struct vcpu *v)
{
	return v->level == 1 ? &space_l1 : nested_memory(v);
}

unsigned insn_bytes(struct vcpu *v, const struct guest_view *g,
		    u8 bytes[X86_INSN_MAX])
{
	u64 va = g->seg_base[X86_CS] + v->regs.rip;
	const u8 *at = va % PAGE_SIZE <= PAGE_SIZE - X86_INSN_MAX
			       ? code_at(v, g, va)
			       : NULL;

	if (at) {
		__builtin_memcpy(bytes, at, X86_INSN_MAX);
		return X86_INSN_MAX;
	}
	return (unsigned)gwalk_read(insn_memory(v), g, va, bytes, X86_INSN_MAX);
}

bool insn_fetch(struct vcpu *v, const struct guest_view *g,
		struct x86_insn *insn)
{
	u8 bytes[X86_INSN_MAX];
	unsigned n = insn_bytes(v, g, bytes);

	return x86_decode(bytes, n, g->mode, insn) == X86_OK;
}

bool insn_is_hlt(struct vcpu *v)
{
	struct guest_view g;
	u8 bytes[X86_INSN_MAX];

	vmm->view_code(v, &g);
	return insn_bytes(v, &g, bytes) && bytes[0] == HLT;
}

u8 insn_trap(struct vcpu *v)
{
	struct guest_view g;
	struct x86_insn insn;

	vmm->view_code(v, &g);
	if (!insn_fetch(v, &g, &insn))
		return 0;
	if (insn.kind == X86_INT3)
		return VECTOR_BP;
	return insn.kind == X86_INTO ? VECTOR_OF : 0;
}

u64 insn_next(struct vcpu *v, const struct exit *exit, unsigned len)
{
	u64 next = vmm->next_rip(v, exit);
	struct guest_view g;
	struct x86_insn insn;

	if (next)
		return next;
	vmm->view_code(v, &g);
	if (!len && insn_fetch(v, &g, &insn))
		len = insn.len;
	if (!len)
		return 0;
	next = v->regs.rip + len;
	if (g.mode != X86_64)
		next = (u32)next;
	if (exit->slot != EXIT_npf)
		vmm->learn_next(v, next);
	return next;
}

void insn_done(struct vcpu *v, const struct exit *exit)
{
	u64 next = insn_next(v, exit, 0);

	if (next)
		vmm->advance(v, next);
	else
		inject_fault(v, VECTOR_UD, false);
}
