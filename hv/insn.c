/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/insn.h"

#include "hv/gwalk.h"
#include "hv/run.h"
#include "hv/space.h"
#include "lib/x86.h"

bool insn_fetch(const struct vcpu *v, const struct guest_view *g,
		struct x86_insn *insn)
{
	u8 bytes[X86_INSN_MAX];
	u64 va = g->seg_base[X86_CS] + v->regs.rip;
	size_t n = gwalk_read(&space_l1, g, va, bytes, sizeof(bytes));

	return x86_decode(bytes, n, g->mode, insn) == X86_OK;
}

void insn_done(struct vcpu *v, const struct exit *exit)
{
	u64 next = vmm->next_rip(v, exit);
	struct guest_view g;
	struct x86_insn insn;

	if (!next) {
		vmm->view(v, &g);
		if (!insn_fetch(v, &g, &insn)) {
			inject_fault(v, VECTOR_UD, false);
			return;
		}
		next = v->regs.rip + insn.len;
		if (g.mode != X86_64)
			next = (u32)next;
	}
	vmm->advance(v, next);
}
