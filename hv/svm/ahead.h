/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor has a few plain instructions between VMLOAD and VMRUN, and
 * between VMRUN and VMSAVE and VMLOAD: registers go to memory or come from it.
 * L0, which is there already, carries these out as well, up to the next one of
 * SVM's and beyond; that spares an exit.
 *
 * What it may carry out is recorded first (record.c), in 64-bit mode at CPL 0:
 * MOV of 8 bytes, POP, JMP, NOP, VMSAVE, VMLOAD. All of it depends on words in
 * memory: the code, the entries of page tables that lead to the operands, the
 * registers and the words that addresses are made of, and what POP finds. If
 * one of them does not read as it did, nothing is carried out, and the CPU does
 * what there is to do, faults included. So nothing here can fault or stop
 * half-way. RSP may be elsewhere in its page: Linux moves it a little at each
 * system call.
 *
 * L1's GIF must be 0: then nothing can come in between, either.
 */
#pragma once

#include "hv/vmm.h"
#include "lib/vmcb.h"

#define AHEADS	      16 /* of each vCPU, by where they begin and their stack */
#define AHEAD_WORDS   17 /* of code */
#define AHEAD_GUARDS  32
#define AHEAD_MOVES   32
#define AHEAD_POPS    4
#define AHEAD_FIXED   4
#define AHEAD_AT_ONCE 4 /* guards are looked at by so many */

struct ahead_guard {
	const u64 *at;
	u64 value;
};

/* Words that are copied one by one, upwards. */
struct ahead_move {
	u64 *to;
	const u64 *from;
	u64 words;
};

struct ahead {
	u64 rip; /* where it begins; 0: nothing is recorded */
	u64 cr3, cr4, efer;
	u64 next;  /* where L1 goes on */
	u64 vmrun; /* behind the VMRUN that is there; 0: there is none */
	u64 vmsave, vmload; /* operands; 0: none */
	u64 id;		    /* no other record had it; 0: nothing is recorded */
	u64 before; /* the one whose guards held before VMRUN; 0: none */
	u32 guards, moves, words, pops;
	u32 patience; /* misses until it is recorded anew */
	const u64 *code;
	u64 bytes[AHEAD_WORDS];
	u64 stack_va;		/* the page that RSP is in ... */
	const u8 *stack;	/* ... where L0 finds it ... */
	u64 popped[AHEAD_POPS]; /* ... and what stands at RSP */
	u64 fixed[AHEAD_FIXED]; /* words that a register got and that a guard
				   has */
	u32 fixes;
	u32 entries; /* bit n: guard n is an entry of L1's page tables */
	struct ahead_guard guard[AHEAD_GUARDS];
	const struct ahead_guard *common; /* with ->before, to the end */
	struct ahead_move move[AHEAD_MOVES];
};

/* Where what stands at L1's RIP is recorded, or will be. */
static inline struct ahead *ahead_of(const struct vcpu *v)
{
	const struct vmcb_save *s = &((const struct vmcb *)v->backend)->save;

	return &v->ahead[(s->rip >> 4 ^ s->rsp >> 14) % AHEADS];
}

/* False: nothing can be carried out there, as was seen a while ago. */
static inline bool ahead_is_worth(const struct vcpu *v)
{
	const struct vmcb_save *s = &((const struct vmcb *)v->backend)->save;
	struct ahead *a = ahead_of(v);

	if (a->efer || a->rip != s->rip || !a->patience)
		return true;
	a->patience--;
	return false;
}

/* Memory for @v's. Once. */
void ahead_start(struct vcpu *v);

/*
 * Carries out what stands at L1's RIP. L1 is the guest that runs next; all its
 * registers are in v->regs and its block, and so they are afterwards. @proven:
 * the id of what was carried out just before L1's last instruction, VMRUN; 0:
 * nothing was. NULL: nothing has happened; else what was carried out, until the
 * next call.
 */
const struct ahead *ahead_run(struct vcpu *v, u64 proven);

/* Records in @a what can be carried out at L1's RIP. It fits no L1 if that is
 * not worth it. */
void ahead_record(struct vcpu *v, struct ahead *a, u64 proven);
