/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What trap_stubs.S hands to trap_dispatch(), and the IDT's gates that lead
 * there. Each program has its own IDT and its own trap_dispatch().
 */
#pragma once

#include "lib/types.h"
#include "lib/x86.h"

struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error; /* error is 0 where the CPU pushes none */
	u64 rip, cs, rflags, rsp, ss;
};
ASSERT_OFFSET(trap_frame, vector, 15 * 8);
ASSERT_SIZE(trap_frame, 22 * 8);

struct idt_gate {
	u16 offset_0;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_16;
	u32 offset_32;
	u32 reserved_0xc;
};
ASSERT_SIZE(idt_gate, 16);

#define GATE_INTERRUPT 0x8e /* present, DPL 0, 64-bit interrupt gate */

static inline struct idt_gate idt_gate(u16 selector, u64 handler)
{
	return (struct idt_gate){
		.offset_0 = (u16)handler,
		.selector = selector,
		.type = GATE_INTERRUPT,
		.offset_16 = (u16)(handler >> 16),
		.offset_32 = (u32)(handler >> 32),
	};
}
