/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/ahead.h"

#include "hv/code.h"
#include "hv/space.h"
#include "lib/cpu.h"
#include "lib/vmcb.h"
#include "lib/x86.h"

#define POP_VMLOAD  0xda010f58u /* POP RAX; VMLOAD */
#define DR7_ENABLED 0xffu

/* The word that a supervisor reads at @va, if its tables say that it may and
 * have nothing to be set. NULL: the CPU has to look. */
static const u64 *stack_word(struct vcpu *v, const struct vmcb_save *s, u64 va)
{
	const u64 wanted = PTE_PRESENT | PTE_ACCESSED;
	const struct code_page *p = &v->stack;
	u64 bits;

	if (va % sizeof(u64) || s->cr4 & CR4_LA57 ||
	    !code_find(v, &v->stack, s->cr3, va))
		return NULL;
	bits = p->value[0] & p->value[1] & p->value[2] & p->value[3];
	if ((bits & (wanted | PTE_USER)) != wanted)
		return NULL;
	return (const u64 *)(const void *)(p->bytes + va % PAGE_SIZE);
}

u64 ahead_of_vmsave(struct vcpu *v, u64 rip, const u8 *code)
{
	struct vmcb_save *s = &((struct vmcb *)v->backend)->save;
	const u64 *word;
	u32 found;

	if (!code)
		return rip;
	__builtin_memcpy(&found, code, sizeof(found));
	if (found != POP_VMLOAD || s->dr7 & DR7_ENABLED)
		return rip;
	word = stack_word(v, s, s->rsp);
	if (!word || *word % PAGE_SIZE || !space_writable(*word, PAGE_SIZE))
		return rip;
	s->rax = *word;
	s->rsp += sizeof(*word);
	vmload(s->rax);
	return rip + sizeof(found);
}
