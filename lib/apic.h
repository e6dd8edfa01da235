/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC's registers: offsets in the page of xAPIC; divided by 16 and
 * added to MSR_X2APIC they are MSRs. AMD APM vol. 2, 16; Intel SDM vol. 3,
 * 11. Only #defines live here.
 */
#pragma once

#define APIC_PAGE	 0xfee00000
#define APIC_ID		 0x020
#define APIC_TPR	 0x080
#define APIC_EOI	 0x0b0
#define APIC_LDR	 0x0d0
#define APIC_DFR	 0x0e0
#define APIC_SVR	 0x0f0
#define APIC_ISR	 0x100 /* to 0x170: 256 bits, 32 a register */
#define APIC_LVT_CMCI	 0x2f0
#define APIC_ICR	 0x300
#define APIC_ICR_HI	 0x310 /* xAPIC only */
#define APIC_LVT_TIMER	 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF	 0x340
#define APIC_LVT_LINT0	 0x350
#define APIC_LVT_LINT1	 0x360
#define APIC_LVT_ERROR	 0x370
#define APIC_TMICT	 0x380
#define APIC_TMCCT	 0x390
#define APIC_TDCR	 0x3e0

/* MSR_APIC_BASE */
#define APIC_BASE_BSP	 0x100
#define APIC_BASE_X2APIC 0x400
#define APIC_BASE_ENABLE 0x800
#define APIC_BASE_ADDR	 0xffffff000ull

#define APIC_SVR_ENABLE	  0x100
#define APIC_SVR_SPURIOUS 0xff
#define APIC_LVT_MASKED	  0x10000
#define APIC_LVT_DEADLINE 0x40000
#define APIC_TDCR_BY_1	  0xb
#define XAPIC_ID_SHIFT	  24
#define XAPIC_BROADCAST	  0xff
#define X2APIC_BROADCAST  0xffffffff

/* The interrupt command register: delivery mode, flags, shorthand. */
#define ICR_VECTOR	 0x000ff
#define ICR_MODE	 0x00700
#define ICR_FIXED	 0x00000
#define ICR_LOWEST	 0x00100
#define ICR_SMI		 0x00200
#define ICR_READ	 0x00300
#define ICR_NMI		 0x00400
#define ICR_INIT	 0x00500
#define ICR_STARTUP	 0x00600 /* + the page number of the code */
#define ICR_EXTINT	 0x00700
#define ICR_LOGICAL	 0x00800
#define ICR_ASSERT	 0x04000
#define ICR_LEVEL	 0x08000
#define ICR_SHORTHAND	 0xc0000
#define ICR_SELF	 0x40000 /* shorthands: the destination is unused */
#define ICR_ALL		 0x80000
#define ICR_ALL_BUT_SELF 0xc0000

#define CPUID_ECX_X2APIC   (1u << 21) /* leaf 1 */
#define CPUID_ECX_DEADLINE (1u << 24)
