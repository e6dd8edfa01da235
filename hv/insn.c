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
	return (unsigned)gwalk_read(insn_memory(v), g, va, bytes,
				    X86_INSN_MAX);
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

/* What exits, without prefixes as compilers write it, is not worth decoding:
 * its bytes, the first one lowest. */
static const u32 plain[EXIT_SLOTS] = {
	[EXIT_cpuid] = 0xa20f,
	[EXIT_vmcall] = 0xd9010f,
	[EXIT_stgi] = 0xdc010f,
	[EXIT_clgi] = 0xdd010f,
	[EXIT_vmrun] = 0xd8010f,
	[EXIT_vmload] = 0xda010f,
	[EXIT_vmsave] = 0xdb010f,
	[EXIT_invlpga] = 0xdf010f,
};
#define PLAIN_RDMSR 0x320f
#define PLAIN_WRMSR 0x300f

/* Unaligned words behind it do not matter: they are cut off. */
static unsigned plain_len(struct vcpu *v, const struct guest_view *g,
			  const struct exit *exit)
{
	u64 va = g->seg_base[X86_CS] + v->regs.rip;
	u32 want = plain[exit->slot], found, mask;
	const u8 *at;

	if (exit->slot == EXIT_msr)
		want = exit->info1 ? PLAIN_WRMSR : PLAIN_RDMSR;
	if (!want || va % PAGE_SIZE > PAGE_SIZE - sizeof(found))
		return 0;
	at = code_at(v, g, va);
	if (!at)
		return 0;
	__builtin_memcpy(&found, at, sizeof(found));
	mask = want >> 16 ? 0xffffff : 0xffff;
	if ((found & mask) != want)
		return 0;
	return want >> 16 ? 3 : 2;
}

u64 insn_next(struct vcpu *v, const struct exit *exit, unsigned len)
{
	u64 next = vmm->next_rip(v, exit);
	struct guest_view g;
	struct x86_insn insn;

	if (next)
		return next;
	vmm->view_code(v, &g);
	if (!len)
		len = plain_len(v, &g, exit);
	if (!len && insn_fetch(v, &g, &insn))
		len = insn.len;
	if (!len)
		return 0;
	next = v->regs.rip + len;
	return g.mode == X86_64 ? next : (u32)next;
}

void insn_done(struct vcpu *v, const struct exit *exit)
{
	u64 next = insn_next(v, exit, 0);

	if (next)
		vmm->advance(v, next);
	else
		inject_fault(v, VECTOR_UD, false);
}
