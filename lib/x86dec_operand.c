/* SPDX-License-Identifier: Apache-2.0 */
/* What the operands of a decoded instruction stand for. */
#include "lib/x86dec.h"

#define RDI 7

u64 x86_offset(const struct x86_insn *insn, const u64 gpr[16], u64 rip)
{
	const struct x86_mem *mem = &insn->mem;
	u64 offset = (u64)mem->disp;

	if (mem->base != X86_NO_REG)
		offset += gpr[mem->base];
	if (mem->index != X86_NO_REG)
		offset += gpr[mem->index] * mem->scale;
	if (mem->rip_relative)
		offset += rip + insn->len;
	return x86_cut(offset, insn->addr_bytes);
}

u64 x86_offset_es_di(const struct x86_insn *insn, const u64 gpr[16])
{
	return x86_cut(gpr[RDI], insn->addr_bytes);
}

u64 x86_linear(const struct x86_insn *insn, enum x86_seg seg, u64 base,
	       u64 offset)
{
	if (insn->mode != X86_64)
		return x86_cut(base + offset, 4);
	return seg >= X86_FS ? base + offset : offset;
}

static bool is_high_byte(const struct x86_insn *insn, u8 number, u8 bytes)
{
	return bytes == 1 && !insn->rex && number >= 4;
}

u64 x86_reg_read(const struct x86_insn *insn, const u64 gpr[16], u8 number,
		 u8 bytes)
{
	if (is_high_byte(insn, number, bytes))
		return x86_cut(gpr[number - 4] >> 8, 1);
	return x86_cut(gpr[number], bytes);
}

void x86_reg_write(const struct x86_insn *insn, u64 gpr[16], u8 number,
		   u8 bytes, u64 value)
{
	unsigned shift = is_high_byte(insn, number, bytes) ? 8 : 0;
	u64 mask = x86_cut(~(u64)0, bytes) << shift;

	if (shift)
		number -= 4;
	if (bytes == 4)
		mask = ~(u64)0;
	value = x86_cut(value, bytes) << shift;
	gpr[number] = (gpr[number] & ~mask) | value;
}
