/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/wants.h"

u64 code_of_read(const struct x86_insn *insn, u64 code)
{
	switch (insn->kind) {
	case X86_MOV_CR:
		return VMCB_EXIT_CR_READ + insn->reg;
	case X86_SMSW:
		return VMCB_EXIT_CR_READ;
	case X86_RDTSC:
		return VMCB_EXIT_RDTSC;
	case X86_RDTSCP:
		return VMCB_EXIT_RDTSCP;
	default:
		return code;
	}
}

/* Reads one byte, because maps cross pages and pages may be missing. */
static bool has_bits(const struct phys *l1, u64 pa, u32 bits)
{
	const volatile u8 *byte = phys_map(l1, pa, 1);

	return !byte || *byte & bits;
}

/*
 * 15.10.2: each byte of the access has its bit. Those of an access at ports
 * 0xfffd to 0xffff go on in the map's third page. String forms are the same.
 */
bool wants_port(const struct phys *l1, u64 iopm, u64 info1)
{
	u32 port = (u32)info1 >> VMCB_IO_PORT_SHIFT;
	u32 size = info1 >> VMCB_IO_BYTES_SHIFT & VMCB_IO_BYTES_MASK;
	u32 bits = ((1u << size) - 1) << port % 8;

	if (has_bits(l1, iopm + port / 8, bits))
		return true;
	return bits >> 8 && has_bits(l1, iopm + port / 8 + 1, bits >> 8);
}

/* 15.11 */
bool wants_msr(const struct phys *l1, u64 msrpm, u32 msr, bool write)
{
	u32 bit;

	if (!vmcb_msrpm_bit(msr, &bit))
		return true;
	bit += write;
	return has_bits(l1, msrpm + bit / 8, 1u << bit % 8);
}
