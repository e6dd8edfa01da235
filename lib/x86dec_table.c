/* SPDX-License-Identifier: Apache-2.0 */
/* AMD APM vol. 3, appendix A: the opcode maps. */
#include "lib/x86dec_table.h"

#define MODRM		 X86_OP_MODRM
#define NATIVE_REGISTERS (MODRM | X86_OP_NATIVE | X86_OP_NO_MEM)

/* Most opcodes come in pairs: an even one for bytes, then one for all else. */
#define PAIR(at, kind, dst, src, flags)                              \
	[(at)] = {(kind), (dst), (src), (u32)(flags) | X86_OP_BYTE}, \
	[(at) + 1] = {(kind), (dst), (src), (u32)(flags)}

/* r/m, r and r, r/m. The two rows behind these have no operand in memory. */
#define ALU(at, kind)                               \
	PAIR((at), (kind), X86_RM, X86_REG, MODRM), \
		PAIR((at) + 2, (kind), X86_REG, X86_RM, MODRM)

#define PLAIN(at, kind, flags) [(at)] = {(kind), X86_NONE, X86_NONE, (flags)}

static const struct x86_op one_byte[256] = {
	ALU(0x00, X86_ADD),
	ALU(0x08, X86_OR),
	ALU(0x10, X86_ADC),
	ALU(0x18, X86_SBB),
	ALU(0x20, X86_AND),
	ALU(0x28, X86_SUB),
	ALU(0x30, X86_XOR),
	ALU(0x38, X86_CMP),
	PAIR(0x6c, X86_INS, X86_RM, X86_DX, X86_OP_DI | X86_OP_MAX4),
	PAIR(0x6e, X86_OUTS, X86_DX, X86_RM, X86_OP_SI | X86_OP_MAX4),
	PAIR(0x80, X86_ADD, X86_RM, X86_IMM, MODRM | X86_OP_GROUP | X86_OP_IMM),
	[0x82] = {X86_ADD, X86_RM, X86_IMM,
		  MODRM | X86_OP_GROUP | X86_OP_BYTE | X86_OP_IMM8 |
			  X86_OP_NOT64},
	[0x83] = {X86_ADD, X86_RM, X86_IMM, MODRM | X86_OP_GROUP | X86_OP_IMM8},
	PAIR(0x84, X86_TEST, X86_RM, X86_REG, MODRM),
	PAIR(0x86, X86_XCHG, X86_RM, X86_REG, MODRM),
	PAIR(0x88, X86_MOV, X86_RM, X86_REG, MODRM),
	PAIR(0x8a, X86_MOV, X86_REG, X86_RM, MODRM),
	PLAIN(0x90, X86_PAUSE, X86_OP_ONLY_F3),
	PLAIN(0x9c, X86_PUSHF, X86_OP_STACK),
	PLAIN(0x9d, X86_POPF, X86_OP_STACK),
	PAIR(0xa0, X86_MOV, X86_REG, X86_RM, X86_OP_MOFFS),
	PAIR(0xa2, X86_MOV, X86_RM, X86_REG, X86_OP_MOFFS),
	PAIR(0xa4, X86_MOVS, X86_ES_DI, X86_RM, X86_OP_SI),
	PAIR(0xaa, X86_STOS, X86_RM, X86_REG, X86_OP_DI),
	PAIR(0xc6, X86_MOV, X86_RM, X86_IMM, MODRM | X86_OP_EXT0 | X86_OP_IMM),
	PLAIN(0xcc, X86_INT3, 0),
	[0xcd] = {X86_INT, X86_NONE, X86_IMM, X86_OP_UIMM8},
	PLAIN(0xce, X86_INTO, X86_OP_NOT64),
	PLAIN(0xcf, X86_IRET, 0),
	PAIR(0xe4, X86_IN, X86_REG, X86_IMM, X86_OP_UIMM8 | X86_OP_MAX4),
	PAIR(0xe6, X86_OUT, X86_IMM, X86_REG, X86_OP_UIMM8 | X86_OP_MAX4),
	PAIR(0xec, X86_IN, X86_REG, X86_DX, X86_OP_MAX4),
	PAIR(0xee, X86_OUT, X86_DX, X86_REG, X86_OP_MAX4),
	PLAIN(0xf1, X86_INT1, 0),
	PLAIN(0xf4, X86_HLT, 0),
	PAIR(0xf6, X86_TEST, X86_RM, X86_IMM,
	     MODRM | X86_OP_EXT01 | X86_OP_IMM),
};

static const struct x86_op two_bytes[256] = {
	PLAIN(0x06, X86_CLTS, 0),
	PLAIN(0x08, X86_INVD, 0),
	PLAIN(0x09, X86_WBINVD, 0), /* with f3 WBNOINVD */
	[0x20] = {X86_MOV_CR, X86_RM, X86_CR, NATIVE_REGISTERS},
	[0x21] = {X86_MOV_DR, X86_RM, X86_DR, NATIVE_REGISTERS},
	[0x22] = {X86_MOV_CR, X86_CR, X86_RM, NATIVE_REGISTERS},
	[0x23] = {X86_MOV_DR, X86_DR, X86_RM, NATIVE_REGISTERS},
	PLAIN(0x30, X86_WRMSR, 0),
	PLAIN(0x31, X86_RDTSC, 0),
	PLAIN(0x32, X86_RDMSR, 0),
	PLAIN(0x33, X86_RDPMC, 0),
	PLAIN(0xa2, X86_CPUID, 0),
	PLAIN(0xaa, X86_RSM, 0),
	[0xb6] = {X86_MOVZX, X86_REG, X86_RM, MODRM | X86_OP_SRC_BYTE},
	[0xb7] = {X86_MOVZX, X86_REG, X86_RM, MODRM | X86_OP_SRC_WORD},
	[0xbe] = {X86_MOVSX, X86_REG, X86_RM, MODRM | X86_OP_SRC_BYTE},
	[0xbf] = {X86_MOVSX, X86_REG, X86_RM, MODRM | X86_OP_SRC_WORD},
};

static const struct x86_op invpcid = {X86_INVPCID, X86_REG, X86_RM,
				      MODRM | X86_OP_NATIVE | X86_OP_ONLY_66 |
					      X86_OP_ONLY_MEM | X86_OP_SRC_16};

const struct x86_op *x86_op_find(u8 map, u8 opcode)
{
	const struct x86_op *op = map ? &two_bytes[opcode] : &one_byte[opcode];

	if (map == 0x38)
		return opcode == 0x82 ? &invpcid : NULL;
	return op->kind == X86_OTHER ? NULL : op;
}

/* 0f 00 by ModRM.reg. */
static const struct x86_op group6[] = {
	{X86_SLDT, X86_RM, X86_NONE, MODRM | X86_OP_MEM_WORD},
	{X86_STR, X86_RM, X86_NONE, MODRM | X86_OP_MEM_WORD},
	{X86_LLDT, X86_NONE, X86_RM, MODRM | X86_OP_WORD},
	{X86_LTR, X86_NONE, X86_RM, MODRM | X86_OP_WORD},
};

/* 0f 01 by ModRM.reg. Where only memory is valid, a register makes it one of
 * the rows below. */
static const struct x86_op group7[8] = {
	{X86_SGDT, X86_RM, X86_NONE, MODRM | X86_OP_TABLE | X86_OP_ONLY_MEM},
	{X86_SIDT, X86_RM, X86_NONE, MODRM | X86_OP_TABLE | X86_OP_ONLY_MEM},
	{X86_LGDT, X86_NONE, X86_RM, MODRM | X86_OP_TABLE | X86_OP_ONLY_MEM},
	{X86_LIDT, X86_NONE, X86_RM, MODRM | X86_OP_TABLE | X86_OP_ONLY_MEM},
	{X86_SMSW, X86_RM, X86_NONE, MODRM | X86_OP_MEM_WORD},
	{X86_OTHER, X86_NONE, X86_NONE, 0},
	{X86_LMSW, X86_NONE, X86_RM, MODRM | X86_OP_WORD},
	{X86_INVLPG, X86_NONE, X86_NONE, MODRM | X86_OP_ONLY_MEM},
};

/* 0f 01 by the whole ModRM byte, which is an opcode there. */
static const struct {
	u8 modrm;
	struct x86_op op;
} extended[] = {
	{0xc1, {.kind = X86_VMCALL, .flags = X86_OP_NO_PREFIX}},
	{0xc8, {.kind = X86_MONITOR, .flags = X86_OP_NO_PREFIX}},
	{0xc9, {.kind = X86_MWAIT, .flags = X86_OP_NO_PREFIX}},
	{0xd1, {.kind = X86_XSETBV, .flags = X86_OP_NO_PREFIX}},
	{0xd8, {.kind = X86_VMRUN}},
	{0xd9, {.kind = X86_VMMCALL}}, /* with f2, f3 VMGEXIT */
	{0xda, {.kind = X86_VMLOAD}},
	{0xdb, {.kind = X86_VMSAVE}},
	{0xdc, {.kind = X86_STGI}},
	{0xdd, {.kind = X86_CLGI}},
	{0xde, {.kind = X86_SKINIT}},
	{0xdf, {.kind = X86_INVLPGA}},
	{0xf9, {.kind = X86_RDTSCP}},
	{0xfa, {.kind = X86_MCOMMIT, .flags = X86_OP_ONLY_F3}},
	{0xfa, {.kind = X86_MONITORX, .flags = X86_OP_NO_PREFIX}},
	{0xfb, {.kind = X86_MWAITX, .flags = X86_OP_NO_PREFIX}},
	{0xfd, {.kind = X86_RDPRU}},
	{0xfe, {.kind = X86_INVLPGB, .flags = X86_OP_NO_PREFIX}},
	{0xff, {.kind = X86_TLBSYNC, .flags = X86_OP_NO_PREFIX}},
};

static const struct x86_op *find_extended(u8 modrm, u8 rep)
{
	for (size_t i = 0; i < ARRAY_SIZE(extended); i++) {
		const struct x86_op *op = &extended[i].op;

		if (extended[i].modrm == modrm &&
		    (!(op->flags & X86_OP_ONLY_F3) || rep == 0xf3))
			return op;
	}
	return NULL;
}

const struct x86_op *x86_op_find_group(u8 opcode, u8 modrm, u8 rep)
{
	unsigned reg = modrm >> 3 & 7;
	const struct x86_op *op;

	if (opcode == 0)
		return reg < ARRAY_SIZE(group6) ? &group6[reg] : NULL;
	op = &group7[reg];
	if (modrm >= 0xc0 && (!op->kind || op->flags & X86_OP_ONLY_MEM))
		return find_extended(modrm, rep);
	return op->kind == X86_OTHER ? NULL : op;
}
