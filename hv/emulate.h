/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out an instruction whose operand in memory is a device: the
 * registers and flags change as by the CPU, the access goes to callbacks.
 * Pure; test/unit/t-emulate.c compares it with the CPU.
 */
#pragma once

#include "lib/x86dec.h"

enum emulated {
	EMULATE_UNKNOWN, /* nothing has changed */
	EMULATE_DONE,	 /* RIP is the caller's to advance */
	EMULATE_AGAIN,	 /* one turn of a repeated string: RIP stays */
};

/* The operand: 1, 2, 4 or 8 bytes. */
struct operand {
	u64 (*read)(const struct operand *o, unsigned bytes);
	void (*write)(const struct operand *o, unsigned bytes, u64 value);
	/* What MOVS moves here, from elsewhere in memory. False: unreadable. */
	bool (*source)(const struct operand *o, unsigned bytes, u64 *value);
	void *ctx;
	u64 address;
};

/*
 * @writes: the access that trapped was a write, which tells which operand of
 * MOVS is meant. Known: MOV, MOVZX, MOVSX, XCHG, ADD to CMP, TEST, STOS, and
 * MOVS to the device.
 */
enum emulated emulate(const struct x86_insn *insn, u64 gpr[16], u64 *rflags,
		      const struct operand *o, bool writes);
