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

/* What exits, without prefixes as compilers write it, is not worth decoding:
 * its bytes, the first one lowest. */
static const u32 plain[EXIT_SLOTS] = {
	[EXIT_cpuid] = 0xa20f,
	[EXIT_vmcall] = 0xd9010f,
	[EXIT_stgi] = 0xdc010f,
	[EXIT_clgi] = 0xdd010f,
};
#define PLAIN_RDMSR 0x320f
#define PLAIN_WRMSR 0x300f

static unsigned plain_len(const struct vcpu *v, const struct guest_view *g,
			  const struct exit *exit)
{
	u64 va = g->seg_base[X86_CS] + v->regs.rip, pa;
	u32 want = plain[exit->slot], found;
	unsigned len;
	const u8 *at;

	if (exit->slot == EXIT_msr)
		want = exit->info1 ? PLAIN_WRMSR : PLAIN_RDMSR;
	len = want >> 16 ? 3 : 2;
	if (!want || va % PAGE_SIZE > PAGE_SIZE - len ||
	    !gwalk(&space_l1, g, va, &pa))
		return 0;
	at = phys_map(&space_l1, pa, len);
	if (!at)
		return 0;
	found = (u32)(at[0] | at[1] << 8);
	if (len == 3)
		found |= (u32)at[2] << 16;
	return found == want ? len : 0;
}

void insn_done(struct vcpu *v, const struct exit *exit)
{
	u64 next = vmm->next_rip(v, exit);
	struct guest_view g;
	struct x86_insn insn;
	unsigned len;

	if (!next) {
		vmm->view(v, &g);
		len = plain_len(v, &g, exit);
		if (!len && insn_fetch(v, &g, &insn))
			len = insn.len;
		if (!len) {
			inject_fault(v, VECTOR_UD, false);
			return;
		}
		next = v->regs.rip + len;
		if (g.mode != X86_64)
			next = (u32)next;
	}
	vmm->advance(v, next);
}
