/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opcodes that lib/x86dec.c knows, as data. Nobody else includes this.
 */
#pragma once

#include "lib/x86dec.h"

enum x86_op_flag {
	X86_OP_MODRM = 1 << 0,
	X86_OP_BYTE = 1 << 1,	  /* operands of one byte */
	X86_OP_WORD = 1 << 2,	  /* of two, whatever the prefixes say */
	X86_OP_MEM_WORD = 1 << 3, /* of two if in memory */
	X86_OP_SRC_BYTE = 1 << 4, /* the source only */
	X86_OP_SRC_WORD = 1 << 5,
	X86_OP_IMM8 = 1 << 6,  /* sign-extended */
	X86_OP_UIMM8 = 1 << 7, /* a number from 0 to 255 */
	X86_OP_IMM = 1 << 8,   /* as wide as the operand, at most 4 bytes */
	X86_OP_MOFFS = 1 << 9,
	X86_OP_SI = 1 << 10,	    /* memory at ds:rSI or an override */
	X86_OP_DI = 1 << 11,	    /* memory at es:rDI */
	X86_OP_STACK = 1 << 12,	    /* 8 bytes by default in 64-bit code */
	X86_OP_MAX4 = 1 << 13,	    /* REX.W makes it 4 bytes */
	X86_OP_NATIVE = 1 << 14,    /* 4 or 8 bytes by mode */
	X86_OP_GROUP = 1 << 15,	    /* kind is that of ModRM.reg 0, + reg */
	X86_OP_EXT0 = 1 << 16,	    /* ModRM.reg must be 0 */
	X86_OP_EXT01 = 1 << 17,	    /* ModRM.reg must be 0 or 1 */
	X86_OP_NO_PREFIX = 1 << 18, /* 66, f2, f3 make another instruction */
	X86_OP_ONLY_F3 = 1 << 19,   /* without f3 another instruction */
	X86_OP_NOT64 = 1 << 20,	    /* invalid in 64-bit code */
	X86_OP_ONLY_66 = 1 << 21,   /* with f2, f3 or without 66 another */
	X86_OP_NO_MEM = 1 << 22,    /* mod is ignored: registers */
	X86_OP_ONLY_MEM = 1 << 23,  /* a register is invalid */
	X86_OP_TABLE = 1 << 24,	    /* limit and base: 6 or 10 bytes by mode */
	X86_OP_SRC_16 = 1 << 25,    /* the source has 16 bytes */
};

/* A row whose kind is X86_OTHER is not in the subset. */
struct x86_op {
	u8 kind;
	u8 dst;
	u8 src;
	u32 flags;
};

/* The row of @opcode in @map, or NULL; 0f 00 and 0f 01 have none there. */
const struct x86_op *x86_op_find(u8 map, u8 opcode);

/* The row of 0f @opcode, which is 0 or 1, followed by @modrm; or NULL. @rep: as
 * in struct x86_insn. */
const struct x86_op *x86_op_find_group(u8 opcode, u8 modrm, u8 rep);
