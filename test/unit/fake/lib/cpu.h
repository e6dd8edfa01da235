/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands before lib/cpu.h where hv/ is compiled for the host (test/test.mk):
 * the same names, and the machine is test/unit/fake_machine.c.
 */
#pragma once

#include "lib/types.h"
#include "lib/x86.h"

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

struct cpuid cpuid(u32 leaf, u32 subleaf);
u64 rdmsr(u32 msr);
u64 rdmsr_in_shadow(u32 msr);
u8 inb(u16 port);
u16 inw(u16 port);
u32 inl(u16 port);
void outb(u16 port, u8 v);
void outw(u16 port, u16 v);
void outl(u16 port, u32 v);
u64 read_rsp(void);
u64 read_cr3(void);
u64 read_cr8(void);
void write_cr8(u64 v);
void vmload(u64 pa);
void vmsave(u64 pa);

static inline void copy_words(u64 *to, const u64 *from, u64 n)
{
	while (n--)
		*to++ = *from++;
}

static inline bool same_words(const u64 *a, const u64 *b, u64 n)
{
	return !__builtin_memcmp(a, b, n * sizeof(*a));
}

static inline void pause(void)
{
	__builtin_ia32_pause();
}

static inline void wbinvd(void)
{
}
