/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes the x86 instructions that a hypervisor has to know: those it steps
 * over, because the CPU does not tell where the next one begins, and those
 * that access memory-mapped devices. Pure functions without state, for use
 * with and without libc.
 *
 * What is accepted is decoded exactly; test/fuzz/fuzz_x86dec.c holds every
 * field against another decoder. Everything else is X86_UNKNOWN. Whether the
 * CPU lets the guest execute the instruction in its mode is not checked: the
 * caller asks on behalf of an instruction that the CPU intercepted.
 */
#pragma once

#include "lib/types.h"

#define X86_INSN_MAX 15	  /* bytes; the CPU refuses longer ones */
#define X86_NO_REG   0xff /* no base, no index */

enum x86_result {
	X86_OK = 0,
	X86_SHORT = -1,	  /* goes on behind the bytes given */
	X86_UNKNOWN = -2, /* invalid, longer than 15 bytes or not known here */
};

/* The code segment's default operand and address size. */
enum x86_mode { X86_16, X86_32, X86_64 };

/* As the segment registers are numbered by the CPU. */
enum x86_seg { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS };

enum x86_kind {
	X86_OTHER, /* never in a decoded instruction */
	X86_ADD,   /* to X86_CMP: in the order of their opcodes */
	X86_OR,
	X86_ADC,
	X86_SBB,
	X86_AND,
	X86_SUB,
	X86_XOR,
	X86_CMP,
	X86_TEST,
	X86_XCHG,
	X86_MOV,
	X86_MOVZX,
	X86_MOVSX,
	X86_MOVS,
	X86_STOS,
	X86_IN,
	X86_OUT,
	X86_INS,
	X86_OUTS,
	X86_MOV_CR,
	X86_MOV_DR,
	X86_LMSW,
	X86_SMSW,
	X86_SGDT,
	X86_SIDT,
	X86_LGDT,
	X86_LIDT,
	X86_SLDT,
	X86_STR,
	X86_LLDT,
	X86_LTR,
	X86_CLTS,
	X86_INVLPG,
	X86_INVPCID,
	X86_INVLPGB,
	X86_TLBSYNC,
	X86_CPUID,
	X86_RDMSR,
	X86_WRMSR,
	X86_RDTSC,
	X86_RDTSCP,
	X86_RDPMC,
	X86_RDPRU,
	X86_INVD,
	X86_WBINVD,
	X86_MCOMMIT,
	X86_XSETBV,
	X86_MONITOR,
	X86_MWAIT,
	X86_MONITORX,
	X86_MWAITX,
	X86_VMCALL,
	X86_VMRUN, /* to X86_INVLPGA: in the order of their opcodes */
	X86_VMMCALL,
	X86_VMLOAD,
	X86_VMSAVE,
	X86_STGI,
	X86_CLGI,
	X86_SKINIT,
	X86_INVLPGA,
	X86_HLT,
	X86_PAUSE,
	X86_INT,
	X86_INT1,
	X86_INT3,
	X86_INTO,
	X86_IRET,
	X86_RSM,
	X86_PUSHF,
	X86_POPF,
	X86_KINDS
};

/*
 * Where an operand is. Accumulators of MOV, STOS, IN and OUT are X86_REG with
 * reg 0. Operands that are neither chosen by the instruction nor in memory,
 * as ECX of RDMSR, are not told.
 */
enum x86_operand {
	X86_NONE,
	X86_REG,   /* general register `reg` */
	X86_RM,	   /* memory at `mem` if has_mem, else general register `rm` */
	X86_IMM,   /* `imm` */
	X86_CR,	   /* control register `reg` */
	X86_DR,	   /* debug register `reg` */
	X86_DX,	   /* the port's number */
	X86_ES_DI, /* memory at es:rDI; MOVS, the second one beside `mem` */
};

/* base + index * scale + disp, cut to addr_bytes. */
struct x86_mem {
	enum x86_seg seg; /* the one in force: by override or by default */
	u8 base;	  /* general register or X86_NO_REG */
	u8 index;	  /* general register or X86_NO_REG */
	u8 scale;	  /* 1, 2, 4, 8 */
	bool rip_relative;
	int64_t disp;
};

/* What has no meaning for the instruction is zero. */
struct x86_insn {
	enum x86_mode mode;
	enum x86_kind kind;
	u8 len;
	u8 map; /* 0; 0x0f, 0x38: the opcode stands behind 0f or 0f 38 */
	u8 opcode;

	u8 op_bytes;   /* of the data: 1, 2, 4, 8; if there is none, nominal.
			* 6, 10: limit and base of GDTR, IDTR */
	u8 src_bytes;  /* differs for MOVZX, MOVSX and INVPCID (16) only */
	u8 addr_bytes; /* 2, 4, 8; also of rDI, rSI and rCX of strings */
	u8 rex;	       /* the byte or 0 */
	u8 rep;	       /* 0xf2, 0xf3 or 0; repeats strings only */
	bool lock;

	enum x86_operand dst; /* TEST, CMP, INVPCID: read only; XCHG: src is
			       * written */
	enum x86_operand src;

	bool has_modrm;
	u8 mod;
	u8 reg; /* 0 to 15: REX is applied; an opcode's extension is not */
	u8 rm;	/* 0 to 15 */

	bool has_mem; /* X86_RM or the operand of INVLPG is memory */
	struct x86_mem mem;

	u8 imm_bytes; /* as encoded */
	u64 imm;      /* extended to and cut at op_bytes; INT, ports: a byte */
};

/* The low @bytes bytes of @value. */
static inline u64 x86_cut(u64 value, unsigned bytes)
{
	return bytes < 8 ? value & (((u64)1 << 8 * bytes) - 1) : value;
}

/*
 * Decodes the instruction at @bytes, of which @n are there to read. Returns
 * enum x86_result; with 15 bytes never X86_SHORT. @out is valid if X86_OK.
 */
int x86_decode(const u8 *bytes, size_t n, enum x86_mode mode,
	       struct x86_insn *out);

/*
 * The offset in its segment of the operand in memory. @gpr: the general
 * registers in the CPU's order (rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8
 * ...); @rip: where the instruction begins.
 */
u64 x86_offset(const struct x86_insn *insn, const u64 gpr[16], u64 rip);

/* The offset of X86_ES_DI. */
u64 x86_offset_es_di(const struct x86_insn *insn, const u64 gpr[16]);

/*
 * The linear address of @offset in segment @seg whose base is @base, which
 * 64-bit code ignores except for fs and gs. Limits are not checked.
 */
u64 x86_linear(const struct x86_insn *insn, enum x86_seg seg, u64 base,
	       u64 offset);

/*
 * Register @number as an operand of @bytes, where ah to bh may be meant, and
 * its change: 4 bytes clear the upper half, 1 and 2 leave the rest alone.
 */
u64 x86_reg_read(const struct x86_insn *insn, const u64 gpr[16], u8 number,
		 u8 bytes);
void x86_reg_write(const struct x86_insn *insn, u64 gpr[16], u8 number,
		   u8 bytes, u64 value);
