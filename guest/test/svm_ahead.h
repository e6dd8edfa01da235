/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svm_ahead_round.S: a guest is entered and left as KVM does it, by a row of
 * plain instructions between SVM's. A hypervisor below may know them.
 */
#pragma once

/* Offsets in struct round. */
#define ROUND_BLOCK 128
#define ROUND_INFO  136
#define ROUND_HOST  144
#define ROUND_SELF  152
#define ROUND_FLAGS 160

#ifndef __ASSEMBLER__
#	include "lib/types.h"

struct round_info {
	u64 unused, vmcb;
};

struct round {
	u64 gpr[16];		 /* of L2, by number; no RAX and RSP */
	u64 block;		 /* for VMLOAD before and VMSAVE after it */
	struct round_info *info; /* VMRUN's operand is there */
	u64 host;		 /* for VMLOAD at the end */
	struct round *self;	 /* where registers go */
	u64 flags;		 /* of L1 from before the first VMLOAD on */
};
ASSERT_OFFSET(round, block, ROUND_BLOCK);
ASSERT_OFFSET(round, flags, ROUND_FLAGS);

/* With L1's flags as in @r; in the interrupt shadow of an STI instead. */
void ahead_round(struct round *r);
void ahead_round_sti(struct round *r);

/* ahead_round() with a stack that begins @bytes lower, or at @top. */
void ahead_round_below(struct round *r, u64 bytes);
void ahead_round_on(struct round *r, u64 top);

/* What is on that stack at VMRUN: what the function keeps there. */
#	define ROUND_STACK 72

/* In ahead_round(): behind its VMLOAD, the instruction behind that, the load of
 * RBX, the POP behind VMRUN, the first store; in ahead_round_sti(): behind its
 * VMLOAD. */
extern u8 ahead_loaded[], ahead_info[], ahead_rbx[], ahead_pop[], ahead_store[];
extern u8 ahead_loaded_sti[];
#endif
