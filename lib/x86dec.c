/* SPDX-License-Identifier: Apache-2.0 */
/* AMD APM vol. 3, chapter 1 "Instruction Encoding". */
#include "lib/x86dec_table.h"

#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1

#define RSP 4
#define RBP 5
#define RSI 6
#define RDI 7

#define NO_OVERRIDE 0xff

/* A decoding under way. The first failure stays; then bytes read as 0. */
struct decoder {
	const u8 *bytes;
	size_t n;
	size_t used;
	int result;
	struct x86_insn *out;
	bool operand_size; /* 66 */
	bool address_size; /* 67 */
	u8 override;	   /* enum x86_seg or NO_OVERRIDE */
};

static void fail(struct decoder *d, enum x86_result why)
{
	if (d->result == X86_OK)
		d->result = why;
}

static u64 take(struct decoder *d, unsigned bytes)
{
	u64 value = 0;

	if (d->used + bytes > X86_INSN_MAX)
		fail(d, X86_UNKNOWN);
	else if (d->used + bytes > d->n)
		fail(d, X86_SHORT);
	if (d->result != X86_OK)
		return 0;
	for (unsigned i = 0; i < bytes; i++)
		value |= (u64)d->bytes[d->used + i] << 8 * i;
	d->used += bytes;
	return value;
}

static u64 sign_extend(u64 value, unsigned bytes)
{
	u64 sign = (u64)1 << (8 * bytes - 1);

	return (x86_cut(value, bytes) ^ sign) - sign;
}

static int64_t take_signed(struct decoder *d, unsigned bytes)
{
	return bytes ? (int64_t)sign_extend(take(d, bytes), bytes) : 0;
}

/* In 64-bit code the CPU ignores four of the overrides, even as the last. */
static void set_override(struct decoder *d, enum x86_seg seg)
{
	if (d->out->mode != X86_64 || seg >= X86_FS)
		d->override = (u8)seg;
}

static bool legacy_prefix(struct decoder *d, u8 byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		set_override(d, (enum x86_seg)(byte >> 3 & 3));
		return true;
	case 0x64:
	case 0x65:
		set_override(d, byte == 0x64 ? X86_FS : X86_GS);
		return true;
	case 0x66:
		d->operand_size = true;
		return true;
	case 0x67:
		d->address_size = true;
		return true;
	case 0xf0:
		d->out->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		d->out->rep = byte;
		return true;
	default:
		return false;
	}
}

/* Returns the first byte of the opcode. REX counts only right before it. */
static u8 take_prefixes(struct decoder *d)
{
	struct x86_insn *out = d->out;
	u8 byte;

	for (;;) {
		byte = (u8)take(d, 1);
		if (d->result != X86_OK)
			return 0;
		if (legacy_prefix(d, byte))
			out->rex = 0;
		else if (out->mode == X86_64 && (byte & 0xf0) == 0x40)
			out->rex = byte;
		else
			return byte;
	}
}

static u8 rex_bit(const struct x86_insn *out, u8 bit)
{
	return out->rex & bit ? 8 : 0;
}

static void take_modrm(struct decoder *d)
{
	struct x86_insn *out = d->out;
	u8 modrm = (u8)take(d, 1);

	out->has_modrm = true;
	out->mod = modrm >> 6;
	out->reg = (modrm >> 3 & 7) | rex_bit(out, REX_R);
	out->rm = (modrm & 7) | rex_bit(out, REX_B);
}

/* Prefixes that choose among instructions of the same opcode, or none. */
static bool prefixes_fit(const struct decoder *d, const struct x86_op *op)
{
	const struct x86_insn *out = d->out;

	if (op->flags & X86_OP_NO_PREFIX && (d->operand_size || out->rep))
		return false;
	if (op->flags & X86_OP_ONLY_F3 && out->rep != 0xf3)
		return false;
	if (op->flags & X86_OP_ONLY_66 && (!d->operand_size || out->rep))
		return false;
	return !(op->flags & X86_OP_NOT64) || out->mode != X86_64;
}

static bool modrm_fits(const struct x86_insn *out, const struct x86_op *op)
{
	u8 extension = out->reg & 7;

	if (op->flags & X86_OP_ONLY_MEM && out->mod == 3)
		return false;
	if (op->flags & X86_OP_EXT0)
		return extension == 0;
	return !(op->flags & X86_OP_EXT01) || extension <= 1;
}

/* Takes the ModRM byte, if there is one, chooses the row. */
static const struct x86_op *take_row(struct decoder *d)
{
	const struct x86_op *op;
	struct x86_insn *out = d->out;

	if (out->map == 0x0f && out->opcode <= 0x01) {
		take_modrm(d);
		if (d->result != X86_OK)
			return NULL;
		return x86_op_find_group(out->opcode, d->bytes[d->used - 1],
					 out->rep);
	}
	op = x86_op_find(out->map, out->opcode);
	if (op && op->flags & X86_OP_MODRM)
		take_modrm(d);
	return op;
}

static const struct x86_op *take_opcode(struct decoder *d)
{
	const struct x86_op *op;
	struct x86_insn *out = d->out;

	out->opcode = take_prefixes(d);
	if (out->opcode == 0x0f) {
		out->map = 0x0f;
		out->opcode = (u8)take(d, 1);
	}
	if (out->map && out->opcode == 0x38) {
		out->map = 0x38;
		out->opcode = (u8)take(d, 1);
	}
	if (d->result != X86_OK)
		return NULL;
	op = take_row(d);
	if (!op || !prefixes_fit(d, op) || !modrm_fits(out, op)) {
		fail(d, X86_UNKNOWN);
		return NULL;
	}
	out->dst = (enum x86_operand)op->dst;
	out->src = (enum x86_operand)op->src;
	out->kind = (enum x86_kind)op->kind;
	if (op->flags & X86_OP_GROUP)
		out->kind += out->reg & 7;
	return op;
}

static u8 address_bytes(const struct decoder *d)
{
	static const u8 bytes[][2] = {{2, 4}, {4, 2}, {8, 4}};

	return bytes[d->out->mode][d->address_size];
}

static u8 operand_bytes(const struct decoder *d, u32 flags)
{
	bool is_64 = d->out->mode == X86_64;

	if (flags & X86_OP_BYTE)
		return 1;
	if (flags & X86_OP_WORD || (flags & X86_OP_MEM_WORD && d->out->has_mem))
		return 2;
	if (flags & X86_OP_NATIVE)
		return is_64 ? 8 : 4;
	if (flags & X86_OP_TABLE)
		return is_64 ? 10 : 6;
	if (d->out->rex & REX_W) /* even with 66 */
		return flags & X86_OP_MAX4 ? 4 : 8;
	if ((d->out->mode == X86_16) != d->operand_size)
		return 2;
	return is_64 && flags & X86_OP_STACK ? 8 : 4;
}

static void set_sizes(struct decoder *d, u32 flags)
{
	struct x86_insn *out = d->out;

	out->op_bytes = operand_bytes(d, flags);
	out->src_bytes = out->op_bytes;
	if (flags & X86_OP_SRC_BYTE)
		out->src_bytes = 1;
	if (flags & X86_OP_SRC_WORD)
		out->src_bytes = 2;
	if (flags & X86_OP_SRC_16)
		out->src_bytes = 16;
}

static void set_segment(struct decoder *d)
{
	struct x86_mem *mem = &d->out->mem;
	bool stack = mem->base == RSP || mem->base == RBP;

	mem->seg = stack ? X86_SS : X86_DS;
	if (d->override != NO_OVERRIDE)
		mem->seg = (enum x86_seg)d->override;
}

/* The forms of 16-bit addresses: two registers, one, or none for 0, 6. */
static void take_memory16(struct decoder *d)
{
	static const u8 base[] = {3, 3, RBP, RBP, RSI, RDI, RBP, 3};
	static const u8 index[] = {RSI,	       RDI,	   RSI,
				   RDI,	       X86_NO_REG, X86_NO_REG,
				   X86_NO_REG, X86_NO_REG};
	struct x86_insn *out = d->out;
	bool direct = out->mod == 0 && out->rm == 6;

	out->mem.base = direct ? X86_NO_REG : base[out->rm & 7];
	out->mem.index = index[out->rm & 7];
	out->mem.disp = take_signed(d, direct ? 2 : out->mod);
}

/* Returns whether a displacement of four bytes stands for the base. */
static bool take_sib(struct decoder *d)
{
	struct x86_insn *out = d->out;
	u8 sib = (u8)take(d, 1);
	u8 index = (sib >> 3 & 7) | rex_bit(out, REX_X);

	if (index != RSP) {
		out->mem.index = index;
		out->mem.scale = (u8)(1 << (sib >> 6));
	}
	out->mem.base = (sib & 7) | rex_bit(out, REX_B);
	return (sib & 7) == RBP && out->mod == 0;
}

static void take_memory32(struct decoder *d)
{
	static const u8 disp_bytes[] = {0, 1, 4, 0};
	struct x86_insn *out = d->out;
	bool direct;

	out->mem.base = out->rm;
	if ((out->rm & 7) == RSP) {
		direct = take_sib(d);
	} else {
		direct = (out->rm & 7) == RBP && out->mod == 0;
		out->mem.rip_relative = direct && out->mode == X86_64;
	}
	if (direct)
		out->mem.base = X86_NO_REG;
	out->mem.disp = take_signed(d, direct ? 4 : disp_bytes[out->mod]);
}

/* The operand in memory, wherever it is encoded, if there is one. */
static void take_memory(struct decoder *d, u32 flags)
{
	struct x86_insn *out = d->out;
	bool by_modrm =
		out->has_modrm && out->mod != 3 && !(flags & X86_OP_NO_MEM);

	out->addr_bytes = address_bytes(d);
	if (!by_modrm && !(flags & (X86_OP_MOFFS | X86_OP_SI | X86_OP_DI)))
		return;
	out->has_mem = true;
	out->mem.base = X86_NO_REG;
	out->mem.index = X86_NO_REG;
	out->mem.scale = 1;
	if (flags & X86_OP_MOFFS)
		out->mem.disp = (int64_t)take(d, out->addr_bytes);
	else if (flags & X86_OP_SI)
		out->mem.base = RSI;
	else if (flags & X86_OP_DI)
		out->mem.base = RDI;
	else if (out->addr_bytes == 2)
		take_memory16(d);
	else
		take_memory32(d);
	set_segment(d);
	if (flags & X86_OP_DI)
		out->mem.seg = X86_ES;
}

static void take_immediate(struct decoder *d, u32 flags)
{
	struct x86_insn *out = d->out;

	if (flags & X86_OP_UIMM8) {
		out->imm_bytes = 1;
		out->imm = take(d, 1);
	} else if (flags & (X86_OP_IMM8 | X86_OP_IMM)) {
		out->imm_bytes = out->op_bytes < 4 ? out->op_bytes : 4;
		if (flags & X86_OP_IMM8)
			out->imm_bytes = 1;
		out->imm = x86_cut((u64)take_signed(d, out->imm_bytes),
				   out->op_bytes);
	}
}

/* CR0, 2, 3, 4, 8 and DR0 to DR7 exist. */
static bool registers_exist(const struct x86_insn *out)
{
	if (out->kind == X86_MOV_CR)
		return 0x11d >> out->reg & 1;
	return out->kind != X86_MOV_DR || out->reg < 8;
}

/* LOCK is for what reads, changes and writes memory. */
static bool lock_allowed(const struct x86_insn *out)
{
	bool changes = (out->kind >= X86_ADD && out->kind <= X86_XOR) ||
		       out->kind == X86_XCHG;

	return changes && out->dst == X86_RM && out->has_mem;
}

int x86_decode(const u8 *bytes, size_t n, enum x86_mode mode,
	       struct x86_insn *out)
{
	struct decoder d = {
		.bytes = bytes, .n = n, .out = out, .override = NO_OVERRIDE};
	const struct x86_op *op;

	*out = (struct x86_insn){.mode = mode};
	op = take_opcode(&d);
	if (!op)
		return d.result;
	take_memory(&d, op->flags);
	set_sizes(&d, op->flags);
	take_immediate(&d, op->flags);
	if (!registers_exist(out) || (out->lock && !lock_allowed(out)))
		fail(&d, X86_UNKNOWN);
	out->len = (u8)d.used;
	return d.result;
}
