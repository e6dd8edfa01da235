/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <Zydis/Zydis.h>

#include "test/fuzz/x86_zydis.h"

#define ONE(name) [X86_##name] = {ZYDIS_MNEMONIC_##name}
#define SIZES(name, b, w, d, q)                                 \
	[X86_##name] = {ZYDIS_MNEMONIC_##b, ZYDIS_MNEMONIC_##w, \
			ZYDIS_MNEMONIC_##d, ZYDIS_MNEMONIC_##q}

/*
 * Sometimes Zydis has one mnemonic per operand size: 1, 2, 4, 8 bytes. MOV_CR
 * and MOV_DR are MOV.
 */
static const ZydisMnemonic names[X86_KINDS][4] = {
	ONE(ADD),
	ONE(OR),
	ONE(ADC),
	ONE(SBB),
	ONE(AND),
	ONE(SUB),
	ONE(XOR),
	ONE(CMP),
	ONE(TEST),
	ONE(XCHG),
	ONE(MOV),
	ONE(MOVZX),
	ONE(MOVSX),
	ONE(IN),
	ONE(OUT),
	ONE(LMSW),
	ONE(SMSW),
	ONE(SGDT),
	ONE(SIDT),
	ONE(LGDT),
	ONE(LIDT),
	ONE(SLDT),
	ONE(STR),
	ONE(LLDT),
	ONE(LTR),
	ONE(CLTS),
	ONE(INVLPG),
	ONE(INVPCID),
	ONE(INVLPGB),
	ONE(TLBSYNC),
	ONE(CPUID),
	ONE(RDMSR),
	ONE(WRMSR),
	ONE(RDTSC),
	ONE(RDTSCP),
	ONE(RDPMC),
	ONE(RDPRU),
	ONE(INVD),
	ONE(WBINVD),
	ONE(MCOMMIT),
	ONE(XSETBV),
	ONE(MONITOR),
	ONE(MWAIT),
	ONE(MONITORX),
	ONE(MWAITX),
	ONE(VMCALL),
	ONE(VMRUN),
	ONE(VMMCALL),
	ONE(VMLOAD),
	ONE(VMSAVE),
	ONE(STGI),
	ONE(CLGI),
	ONE(SKINIT),
	ONE(INVLPGA),
	ONE(HLT),
	ONE(PAUSE),
	ONE(INT),
	ONE(INT1),
	ONE(INT3),
	ONE(INTO),
	ONE(RSM),
	SIZES(MOVS, MOVSB, MOVSW, MOVSD, MOVSQ),
	SIZES(STOS, STOSB, STOSW, STOSD, STOSQ),
	SIZES(INS, INSB, INSW, INSD, INVALID),
	SIZES(OUTS, OUTSB, OUTSW, OUTSD, INVALID),
	SIZES(IRET, INVALID, IRET, IRETD, IRETQ),
	SIZES(PUSHF, INVALID, PUSHF, PUSHFD, PUSHFQ),
	SIZES(POPF, INVALID, POPF, POPFD, POPFQ),
};

struct theirs {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

static bool decode_theirs(struct theirs *t, const u8 *bytes, size_t n,
			  enum x86_mode mode)
{
	static const ZydisMachineMode machine[] = {
		ZYDIS_MACHINE_MODE_LEGACY_16,
		ZYDIS_MACHINE_MODE_LEGACY_32,
		ZYDIS_MACHINE_MODE_LONG_64,
	};
	ZydisDecoder d;

	ZydisDecoderInit(&d, machine[mode],
			 mode == X86_64 ? ZYDIS_STACK_WIDTH_64
					: ZYDIS_STACK_WIDTH_32);
	return ZYAN_SUCCESS(
		ZydisDecoderDecodeFull(&d, bytes, n, &t->insn, t->op));
}

static enum x86_kind kind_of_mov(const ZydisDecodedInstruction *t)
{
	if (t->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
		return X86_MOV;
	return t->opcode & 1 ? X86_MOV_DR : X86_MOV_CR;
}

/* X86_OTHER for SSE's MOVSD as well. @bytes of the operand, 0 if any. */
static enum x86_kind kind_of(const ZydisDecodedInstruction *t, u8 *bytes)
{
	*bytes = 0;
	if (t->mnemonic == ZYDIS_MNEMONIC_MOV)
		return kind_of_mov(t);
	if (t->mnemonic == ZYDIS_MNEMONIC_MOVSD &&
	    t->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT)
		return X86_OTHER;
	for (unsigned kind = 0; kind < X86_KINDS; kind++) {
		for (unsigned size = 0; size < 4; size++) {
			if (names[kind][size] != t->mnemonic)
				continue;
			if (names[kind][1])
				*bytes = (u8)(1 << size);
			return (enum x86_kind)kind;
		}
	}
	return X86_OTHER;
}

/* On purpose: forms that cannot access memory, MOV of segment registers. */
static bool left_out(const ZydisDecodedInstruction *t)
{
	u8 op = t->opcode;

	if (t->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT)
		return false;
	return (op < 0x40 && (op & 7) >= 4) || /* ALU rAX, imm */
	       op == 0x8c || op == 0x8e ||     /* MOV to, from segment */
	       (op >= 0x90 && op <= 0x97 &&    /* XCHG rAX, r */
		t->mnemonic == ZYDIS_MNEMONIC_XCHG) ||
	       op == 0xa8 || op == 0xa9 || /* TEST rAX, imm */
	       (op >= 0xb0 && op <= 0xbf); /* MOV r, imm */
}

static bool in_subset(const struct theirs *t)
{
	u8 bytes;

	return t->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	       kind_of(&t->insn, &bytes) != X86_OTHER && !left_out(&t->insn);
}

static ZydisRegister register_of(const struct x86_insn *in, u8 number, u8 bytes)
{
	static const ZydisRegister first[] = {
		[1] = ZYDIS_REGISTER_AL,
		[2] = ZYDIS_REGISTER_AX,
		[4] = ZYDIS_REGISTER_EAX,
		[8] = ZYDIS_REGISTER_RAX,
	};

	if (number == X86_NO_REG)
		return ZYDIS_REGISTER_NONE;
	if (bytes == 1 && in->rex && number >= 4)
		return ZYDIS_REGISTER_SPL + number - 4;
	return first[bytes] + number;
}

static const char *memory_difference(const struct x86_insn *in,
				     const struct x86_mem *mem,
				     const ZydisDecodedOperandMem *t)
{
	ZydisRegister base = register_of(in, mem->base, in->addr_bytes);
	bool moffs = !in->has_modrm && mem->base == X86_NO_REG;
	u64 unequal = (u64)mem->disp ^ (u64)t->disp.value;

	if (mem->rip_relative)
		base = in->addr_bytes == 8 ? ZYDIS_REGISTER_RIP
					   : ZYDIS_REGISTER_EIP;
	if (t->base != base)
		return "base";
	if (t->index != register_of(in, mem->index, in->addr_bytes))
		return "index";
	if (t->index && t->scale != mem->scale)
		return "scale";
	if (t->segment != ZYDIS_REGISTER_ES + mem->seg)
		return "segment";
	/* The displacement that is a whole address has no sign. */
	if (moffs && in->addr_bytes < 8)
		unequal &= ((u64)1 << 8 * in->addr_bytes) - 1;
	return unequal ? "displacement" : NULL;
}

static bool is_register(const ZydisDecodedOperand *t, ZydisRegister reg)
{
	return t->type == ZYDIS_OPERAND_TYPE_REGISTER && t->reg.value == reg;
}

static const char *rm_difference(const struct x86_insn *in, u8 bytes,
				 const ZydisDecodedOperand *t)
{
	if (in->has_mem != (t->type == ZYDIS_OPERAND_TYPE_MEMORY))
		return "memory or register";
	if (in->has_mem && bytes && t->size != bytes * 8)
		return "size of the memory operand";
	if (in->has_mem)
		return memory_difference(in, &in->mem, &t->mem);
	return is_register(t, register_of(in, in->rm, bytes)) ? NULL : "rm";
}

static const char *immediate_difference(const struct x86_insn *in, u8 bytes,
					const ZydisDecodedOperand *t)
{
	u64 unequal = in->imm ^ t->imm.value.u;

	if (t->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return "immediate expected";
	if (bytes < 8)
		unequal &= ((u64)1 << 8 * bytes) - 1;
	return unequal ? "immediate" : NULL;
}

static const char *es_di_difference(const struct x86_insn *in, u8 bytes,
				    const ZydisDecodedOperand *t)
{
	const struct x86_mem es_di = {
		.seg = X86_ES, .base = 7, .index = X86_NO_REG};

	if (t->type != ZYDIS_OPERAND_TYPE_MEMORY || t->size != bytes * 8)
		return "es:rDI";
	return memory_difference(in, &es_di, &t->mem);
}

static const char *operand_difference(const struct x86_insn *in,
				      enum x86_operand ours, u8 bytes,
				      const ZydisDecodedOperand *t)
{
	ZydisRegister reg;

	switch (ours) {
	case X86_NONE:
		return NULL;
	case X86_REG:
		reg = register_of(in, in->reg, bytes);
		return is_register(t, reg) ? NULL : "reg";
	case X86_RM:
		return rm_difference(in, bytes, t);
	case X86_IMM:
		return immediate_difference(in, bytes, t);
	case X86_CR:
		reg = ZYDIS_REGISTER_CR0 + in->reg;
		return is_register(t, reg) ? NULL : "control register";
	case X86_DR:
		reg = ZYDIS_REGISTER_DR0 + in->reg;
		return is_register(t, reg) ? NULL : "debug register";
	case X86_DX:
		return is_register(t, ZYDIS_REGISTER_DX) ? NULL : "dx";
	case X86_ES_DI:
		return es_di_difference(in, bytes, t);
	}
	return "unknown operand";
}

/* INVLPG's operand is memory, but nothing is read or written there. */
static const char *operands_difference(const struct x86_insn *in,
				       const struct theirs *t)
{
	const ZydisDecodedOperand *next = t->op;
	const char *why;

	if (in->kind == X86_INVLPG)
		return rm_difference(in, 0, next);
	why = operand_difference(in, in->dst, in->op_bytes, next);
	if (why)
		return why;
	if (in->dst != X86_NONE)
		next++;
	return operand_difference(in, in->src, in->src_bytes, next);
}

static u8 last_rep(const ZydisDecodedInstruction *t)
{
	u8 rep = 0;

	for (unsigned i = 0; i < t->raw.prefix_count; i++) {
		if ((t->raw.prefixes[i].value & 0xfe) == 0xf2)
			rep = t->raw.prefixes[i].value;
	}
	return rep;
}

static const char *prefix_difference(const struct x86_insn *in,
				     const ZydisDecodedInstruction *t)
{
	bool rex = t->attributes & ZYDIS_ATTRIB_HAS_REX;

	if (in->lock != !!(t->attributes & ZYDIS_ATTRIB_HAS_LOCK))
		return "lock";
	if (in->rep != last_rep(t))
		return "rep";
	if ((in->rex != 0) != rex)
		return "rex";
	if (rex && (in->rex & 15) != (t->raw.rex.W << 3 | t->raw.rex.R << 2 |
				      t->raw.rex.X << 1 | t->raw.rex.B))
		return "rex bits";
	return NULL;
}

static const char *modrm_difference(const struct x86_insn *in,
				    const ZydisDecodedInstruction *t)
{
	bool modrm = t->attributes & ZYDIS_ATTRIB_HAS_MODRM;

	if (in->has_modrm != modrm)
		return "has_modrm";
	if (!modrm)
		return NULL;
	if (in->mod != t->raw.modrm.mod || (in->reg & 7) != t->raw.modrm.reg ||
	    (in->rm & 7) != t->raw.modrm.rm)
		return "modrm";
	return NULL;
}

/* No operand whose size could be compared. INVLPG's is that of a byte. */
static bool is_nominal(const struct x86_insn *in)
{
	return in->dst == X86_NONE && in->kind != X86_INVLPG &&
	       (in->src == X86_NONE || in->src == X86_IMM);
}

static u8 map_byte(const ZydisDecodedInstruction *t)
{
	if (t->opcode_map == ZYDIS_OPCODE_MAP_0F38)
		return 0x38;
	return t->opcode_map == ZYDIS_OPCODE_MAP_0F ? 0x0f : 0;
}

static const char *insn_difference(const struct x86_insn *in,
				   const struct theirs *t)
{
	const char *why;
	u8 bytes;

	if (in->len != t->insn.length)
		return "length";
	if (in->kind != kind_of(&t->insn, &bytes))
		return "kind";
	if (in->opcode != t->insn.opcode || in->map != map_byte(&t->insn))
		return "opcode";
	if (bytes && in->op_bytes != bytes)
		return "operand size by the mnemonic";
	if (is_nominal(in) && in->op_bytes != t->insn.operand_width / 8)
		return "operand size";
	if (in->addr_bytes != t->insn.address_width / 8)
		return "address size";
	if (in->imm_bytes != t->insn.raw.imm[0].size / 8)
		return "size of the immediate";
	why = prefix_difference(in, &t->insn);
	if (!why)
		why = modrm_difference(in, &t->insn);
	return why ? why : operands_difference(in, t);
}

/* What is cut short must be told to go on, never be refused. */
static const char *length_difference(const u8 *bytes, const struct x86_insn *in)
{
	struct x86_insn other;

	for (size_t n = 0; n < in->len; n++) {
		if (x86_decode(bytes, n, in->mode, &other) != X86_SHORT)
			return "not X86_SHORT when cut";
	}
	return NULL;
}

/*
 * Zydis 4.0 takes a SIB byte's base 5 with REX.B for r13d, if the address has
 * 4 bytes and mod is 0. The manuals say that REX.B does not count there, and
 * Zydis does not count it if the address has 8 bytes.
 */
static bool is_zydis_flaw(const struct theirs *t)
{
	const struct ZydisDecodedInstructionRaw_ *raw = &t->insn.raw;

	return t->insn.attributes & ZYDIS_ATTRIB_HAS_SIB && raw->rex.B &&
	       t->insn.address_width == 32 && raw->modrm.mod == 0 &&
	       raw->sib.base == 5;
}

/* Lets Zydis decode the same without REX.B. */
static bool decode_corrected(struct theirs *t, const u8 *bytes, size_t n,
			     enum x86_mode mode)
{
	u8 copy[X86_INSN_MAX];
	u8 rex;

	if (!decode_theirs(t, bytes, n, mode))
		return false;
	if (!is_zydis_flaw(t))
		return true;
	memcpy(copy, bytes, t->insn.length);
	rex = t->insn.raw.rex.offset;
	copy[rex] &= (u8)~1;
	if (!decode_theirs(t, copy, t->insn.length, mode))
		return false;
	t->insn.raw.rex.B = 1;
	return true;
}

const char *x86_difference(const u8 *bytes, size_t n, enum x86_mode mode)
{
	struct x86_insn in;
	struct theirs t;
	int result = x86_decode(bytes, n, mode, &in);
	bool valid = decode_corrected(&t, bytes, n, mode);
	const char *why;

	if (result == X86_SHORT && n >= X86_INSN_MAX)
		return "15 bytes are never too short";
	if (result != X86_OK)
		return valid && in_subset(&t) ? "ours refuses" : NULL;
	if (!valid)
		return "ours accepts what is invalid";
	why = insn_difference(&in, &t);
	return why ? why : length_difference(bytes, &in);
}
