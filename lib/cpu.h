/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Privileged and special instructions, each a one-line inline named after
 * the instruction. Nothing here keeps state or decides anything. Those that
 * order memory or let an interrupt in are compiler barriers.
 */
#pragma once

#include "lib/types.h"
#include "lib/x86.h"

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

/* The operand of LIDT and LGDT. */
struct __attribute__((packed)) table_pointer {
	u16 limit;
	u64 base;
};
ASSERT_SIZE(table_pointer, 10);

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

/* In the interrupt shadow of a MOV to SS. */
static inline u64 rdmsr_in_shadow(u32 msr)
{
	u32 lo, hi, ss;

	__asm__ volatile("mov %%ss, %2\n\t"
			 "mov %2, %%ss\n\t"
			 "rdmsr"
			 : "=a"(lo), "=d"(hi), "=&r"(ss)
			 : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	u32 lo = (u32)v, hi = (u32)(v >> 32);

	__asm__ volatile("wrmsr" : : "c"(msr), "a"(lo), "d"(hi) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

/* Not volatile: every call may be given the same value of a function's. */
static inline u64 read_rsp(void)
{
	u64 v;

	__asm__("mov %%rsp, %0" : "=r"(v));
	return v;
}

static inline u64 read_cr0(void)
{
	u64 v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void write_cr0(u64 v)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}

static inline u64 read_cr3(void)
{
	u64 v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void write_cr3(u64 v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static inline u64 read_cr8(void)
{
	u64 v;

	__asm__ volatile("mov %%cr8, %0" : "=r"(v));
	return v;
}

static inline void write_cr8(u64 v)
{
	__asm__ volatile("mov %0, %%cr8" : : "r"(v) : "memory");
}

/* DR0 to DR3. */
static inline void clear_debug_addresses(void)
{
	__asm__ volatile("mov %0, %%dr0\n\t"
			 "mov %0, %%dr1\n\t"
			 "mov %0, %%dr2\n\t"
			 "mov %0, %%dr3"
			 :
			 : "r"(0ull));
}

static inline u64 read_cr2(void)
{
	u64 v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline void lidt(const struct table_pointer *p)
{
	__asm__ volatile("lidt %0" : : "m"(*p));
}

static inline void cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void hlt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* One instruction: STI holds interrupts off until HLT has begun. */
static inline void sti_hlt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

/* STI holds interrupts off for one instruction: they come behind the NOP. */
static inline void sti_nop(void)
{
	__asm__ volatile("sti; nop" : : : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static inline void mfence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

static inline void int3(void)
{
	__asm__ volatile("int3" : : : "memory");
}

static inline void ud2(void)
{
	__asm__ volatile("ud2" : : : "memory");
}

/* @n words, one by one, upwards; @n > 0. */
static inline void copy_words(u64 *to, const u64 *from, u64 n)
{
	__asm__ volatile("rep movsq"
			 : "+D"(to), "+S"(from), "+c"(n)
			 :
			 : "memory");
}

/* @n > 0. */
static inline bool same_words(const u64 *a, const u64 *b, u64 n)
{
	bool same;

	__asm__ volatile("repe cmpsq"
			 : "=@ccz"(same), "+D"(a), "+S"(b), "+c"(n)
			 :
			 : "memory");
	return same;
}

/* FS, GS, TR, LDTR and the MSRs that go with them, from the block at @pa or to
 * it: APM vol. 2, 15.5.2. */
static inline void vmload(u64 pa)
{
	__asm__ volatile("vmload" : : "a"(pa) : "memory");
}

static inline void vmsave(u64 pa)
{
	__asm__ volatile("vmsave" : : "a"(pa) : "memory");
}

/* Hypercalls of AMD and Intel: @nr in, the result out, both in RAX. */
static inline u64 vmmcall(u64 nr)
{
	__asm__ volatile("vmmcall" : "+a"(nr) : : "memory");
	return nr;
}

static inline u64 vmcall(u64 nr)
{
	__asm__ volatile("vmcall" : "+a"(nr) : : "memory");
	return nr;
}
