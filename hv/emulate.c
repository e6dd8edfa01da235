/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/emulate.h"

#define FLAG_CF 0x001ull
#define FLAG_PF 0x004ull
#define FLAG_AF 0x010ull
#define FLAG_ZF 0x040ull
#define FLAG_SF 0x080ull
#define FLAG_DF 0x400ull
#define FLAG_OF 0x800ull
#define FLAGS	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

enum { REG_RAX, REG_RCX, REG_RSI = 6, REG_RDI };

static u64 pick(bool on, u64 flag)
{
	return on ? flag : 0;
}

struct sum {
	u64 a, b, result;
	u64 carry, overflow; /* of every bit; the top one counts */
	unsigned top;
};

static u64 flags_of(const struct sum *s)
{
	return pick(s->carry >> s->top & 1, FLAG_CF) |
	       pick(!__builtin_parity((u8)s->result), FLAG_PF) |
	       ((s->a ^ s->b ^ s->result) & FLAG_AF) |
	       pick(!x86_cut(s->result, s->top / 8 + 1), FLAG_ZF) |
	       pick(s->result >> s->top & 1, FLAG_SF) |
	       pick(s->overflow >> s->top & 1, FLAG_OF);
}

/* The logical ones leave AF undefined: here 0. */
static u64 compute(enum x86_kind kind, u64 a, u64 b, unsigned bytes,
		   u64 *rflags)
{
	bool with_carry = kind == X86_ADC || kind == X86_SBB;
	u64 c = with_carry ? *rflags & FLAG_CF : 0, r;
	struct sum s = {a, b, 0, 0, 0, 8 * bytes - 1};
	u64 undefined = 0;

	switch (kind) {
	case X86_ADD:
	case X86_ADC:
		r = a + b + c;
		s.carry = (a & b) | ((a | b) & ~r);
		s.overflow = (a ^ r) & (b ^ r);
		break;
	case X86_SUB:
	case X86_SBB:
	case X86_CMP:
		r = a - b - c;
		s.carry = (~a & b) | ((~a | b) & r);
		s.overflow = (a ^ b) & (a ^ r);
		break;
	default:
		r = kind == X86_OR ? a | b : kind == X86_XOR ? a ^ b : a & b;
		undefined = FLAG_AF;
		break;
	}
	s.result = r;
	*rflags = (*rflags & ~FLAGS) | (flags_of(&s) & ~undefined);
	return x86_cut(r, bytes);
}

static u64 register_or_imm(const struct x86_insn *insn, const u64 gpr[16],
			   enum x86_operand which, unsigned bytes)
{
	return which == X86_IMM ? x86_cut(insn->imm, bytes)
				: x86_reg_read(insn, gpr, insn->reg, (u8)bytes);
}

static u64 extend(u64 value, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (u64)((int64_t)(value << shift) >> shift);
}

static void load(const struct x86_insn *insn, u64 gpr[16],
		 const struct operand *o)
{
	u64 value = o->read(o, insn->src_bytes);

	if (insn->kind == X86_MOVSX)
		value = extend(value, insn->src_bytes);
	x86_reg_write(insn, gpr, insn->reg, insn->op_bytes, value);
}

static void exchange(const struct x86_insn *insn, u64 gpr[16],
		     const struct operand *o)
{
	u8 n = insn->op_bytes;
	u64 old = o->read(o, n);

	o->write(o, n, x86_reg_read(insn, gpr, insn->reg, n));
	x86_reg_write(insn, gpr, insn->reg, n, old);
}

static void arithmetic(const struct x86_insn *insn, u64 gpr[16], u64 *rflags,
		       const struct operand *o)
{
	bool to_memory = insn->dst == X86_RM;
	bool only_flags = insn->kind == X86_CMP || insn->kind == X86_TEST;
	u8 n = insn->op_bytes;
	u64 memory = o->read(o, n), result;
	u64 other = register_or_imm(insn, gpr,
				    to_memory ? insn->src : insn->dst, n);

	result = compute(insn->kind, to_memory ? memory : other,
			 to_memory ? other : memory, n, rflags);
	if (only_flags)
		return;
	if (to_memory)
		o->write(o, n, result);
	else
		x86_reg_write(insn, gpr, insn->reg, n, result);
}

static void step(const struct x86_insn *insn, u64 gpr[16], u8 reg, u64 rflags)
{
	u64 by = rflags & FLAG_DF ? -(u64)insn->op_bytes : insn->op_bytes;

	x86_reg_write(insn, gpr, reg, insn->addr_bytes, gpr[reg] + by);
}

/* One turn. A repeated one with RCX = 0 accesses nothing and cannot trap. */
static enum emulated string(const struct x86_insn *insn, u64 gpr[16],
			    u64 rflags, const struct operand *o)
{
	u64 value = x86_cut(gpr[REG_RAX], insn->op_bytes);
	u8 n = insn->addr_bytes;

	if (insn->kind == X86_MOVS && !o->source(o, insn->op_bytes, &value))
		return EMULATE_UNKNOWN;
	o->write(o, insn->op_bytes, value);
	step(insn, gpr, REG_RDI, rflags);
	if (insn->kind == X86_MOVS)
		step(insn, gpr, REG_RSI, rflags);
	if (!insn->rep)
		return EMULATE_DONE;
	x86_reg_write(insn, gpr, REG_RCX, n, gpr[REG_RCX] - 1);
	return x86_cut(gpr[REG_RCX], n) ? EMULATE_AGAIN : EMULATE_DONE;
}

enum emulated emulate(const struct x86_insn *insn, u64 gpr[16], u64 *rflags,
		      const struct operand *o, bool writes)
{
	if (insn->kind == X86_STOS || insn->kind == X86_MOVS)
		return writes ? string(insn, gpr, *rflags, o) : EMULATE_UNKNOWN;
	if (!insn->has_mem)
		return EMULATE_UNKNOWN;
	switch (insn->kind) {
	case X86_MOV:
	case X86_MOVZX:
	case X86_MOVSX:
		if (insn->dst != X86_RM)
			load(insn, gpr, o);
		else
			o->write(o, insn->op_bytes,
				 register_or_imm(insn, gpr, insn->src,
						 insn->op_bytes));
		return EMULATE_DONE;
	case X86_XCHG:
		exchange(insn, gpr, o);
		return EMULATE_DONE;
	default:
		if (insn->kind < X86_ADD || insn->kind > X86_TEST)
			return EMULATE_UNKNOWN;
		arithmetic(insn, gpr, rflags, o);
		return EMULATE_DONE;
	}
}
