/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions on L1's behalf that may fault because of what L1 gave. Where
 * one faults, the trap handler goes on at its fixup (hv/trap.c).
 */
#pragma once

#include "lib/types.h"

/* An exception at @at goes on at @to; so does an NMI. */
struct fixup {
	u64 at, to;
};

/* False: #GP, nothing is written. */
static inline bool wrmsr_safe(u32 msr, u64 v)
{
	u32 lo = (u32)v, hi = (u32)(v >> 32), ok = 0;

	__asm__ volatile("1: wrmsr\n\t"
			 "mov $1, %0\n\t"
			 "2:\n\t"
			 ".pushsection .fixups, \"a\"\n\t"
			 ".quad 1b, 2b\n\t"
			 ".popsection"
			 : "+r"(ok)
			 : "c"(msr), "a"(lo), "d"(hi)
			 : "memory");
	return ok;
}

/* False: #GP, and @v is as before. */
static inline bool rdmsr_safe(u32 msr, u64 *v)
{
	u32 lo = 0, hi = 0, ok = 0;

	__asm__ volatile("1: rdmsr\n\t"
			 "mov $1, %0\n\t"
			 "2:\n\t"
			 ".pushsection .fixups, \"a\"\n\t"
			 ".quad 1b, 2b\n\t"
			 ".popsection"
			 : "+r"(ok), "+a"(lo), "+d"(hi)
			 : "c"(msr));
	if (ok)
		*v = (u64)hi << 32 | lo;
	return ok;
}
