/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of the architecture and of this library's boot layout, shared
 * by C and assembly: control register bits, MSR numbers, GDT selectors,
 * page-table bits, and where the pieces of a starting CPU lie.
 *
 * Only #defines live here. Numbers are those of the AMD APM vol. 2 and the
 * Intel SDM vol. 3; the layout ones are this library's own choice.
 */
#pragma once

#define CR0_PE	0x00000001
#define CR0_WP	0x00010000
#define CR0_PG	0x80000000
#define CR4_PAE 0x00000020

#define MSR_APIC_BASE	 0x0000001b
#define MSR_TSC_DEADLINE 0x000006e0
#define MSR_X2APIC	 0x00000800 /* + register offset / 16 */
#define MSR_EFER	 0xc0000080
#define EFER_LME	 0x00000100

/* Selectors of the GDT in start.S. */
#define SEL_CODE64 0x08
#define SEL_DATA   0x10
#define SEL_CODE32 0x18
#define GDT_SIZE   0x20

#define PTE_PRESENT 0x001
#define PTE_WRITE   0x002
#define PTE_LARGE   0x080
#define PTE_TABLE   (PTE_PRESENT | PTE_WRITE)

#define PAGE_SIZE	0x1000
#define LARGE_PAGE_SIZE 0x200000
#define PTES_PER_TABLE	512
#define IDENTITY_GIB	4 /* start.S maps that much one to one */

/*
 * Application processors: a SIPI names a page below 1 MiB. QEMU's multiboot
 * information lies at 0x9000, so the page before that one is free.
 */
#define TRAMPOLINE     0x8000
#define SMP_MAX_CPUS   32
#define STACK_SHIFT    13
#define STACK_SIZE     (1 << STACK_SHIFT)
#define BSP_STACK_SIZE 0x4000

/* Every vector's entry in vectors.S takes that many bytes. */
#define VECTORS	   256
#define EXCEPTIONS 32 /* vectors below are exceptions */
#define STUB_ALIGN 16

/* What trap_try() returns if there was no exception. */
#define NO_TRAP -1
