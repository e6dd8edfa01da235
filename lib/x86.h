/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of the architecture, shared by C and assembly: bits of control
 * registers and flags, MSR numbers, page-table bits. Only #defines live here.
 * Numbers are those of the AMD APM vol. 2 and the Intel SDM vol. 3.
 */
#pragma once

#define CR0_PE	     0x00000001
#define CR0_ET	     0x00000010
#define CR0_WP	     0x00010000
#define CR0_NW	     0x20000000
#define CR0_CD	     0x40000000
#define CR0_PG	     0x80000000
#define CR4_VME	     0x00000001
#define CR4_PVI	     0x00000002
#define CR4_TSD	     0x00000004
#define CR4_DE	     0x00000008
#define CR4_PSE	     0x00000010
#define CR4_PAE	     0x00000020
#define CR4_MCE	     0x00000040
#define CR4_PGE	     0x00000080
#define CR4_PCE	     0x00000100
#define CR4_FXSR     0x00000200
#define CR4_XMM	     0x00000400
#define CR4_UMIP     0x00000800
#define CR4_LA57     0x00001000
#define CR4_FSGSBASE 0x00010000
#define CR4_PCID     0x00020000
#define CR4_OSXSAVE  0x00040000
#define CR4_SMEP     0x00100000
#define CR4_SMAP     0x00200000
#define CR4_PKE	     0x00400000
#define CR4_CET	     0x00800000
#define RFLAGS_FIXED 0x00000002
#define RFLAGS_TF    0x00000100
#define RFLAGS_IF    0x00000200
#define RFLAGS_RF    0x00010000
#define RFLAGS_DF    0x00000400

#define MSR_TSC		  0x00000010
#define MSR_APIC_BASE	  0x0000001b
#define MSR_PAT		  0x00000277
#define MSR_TSC_DEADLINE  0x000006e0
#define MSR_X2APIC	  0x00000800 /* + register offset / 16 */
#define MSR_EFER	  0xc0000080
#define MSR_TSC_AUX	  0xc0000103
#define MSR_SYSCFG	  0xc0010010
#define MSR_HWCR	  0xc0010015
#define MSR_IORR_BASE0	  0xc0010016 /* and three more */
#define MSR_TOP_MEM	  0xc001001a
#define MSR_TOP_MEM2	  0xc001001d
#define MSR_MMIO_CFG_BASE 0xc0010058
#define MSR_SMM_BASE	  0xc0010111 /* address and mask behind it */
#define MSR_SMM_CTL	  0xc0010116
#define MSR_VM_CR	  0xc0010114
#define MSR_VM_HSAVE_PA	  0xc0010117

#define EFER_SCE      0x00000001
#define EFER_LME      0x00000100
#define EFER_LMA      0x00000400
#define EFER_NXE      0x00000800
#define EFER_SVME     0x00001000
#define EFER_FFXSR    0x00004000
#define EFER_TCE      0x00008000
#define EFER_AUTOIBRS 0x00200000

/* Leaves of CPUID. */
#define CPUID_EXT 0x80000001u
#define CPUID_SVM 0x8000000au

#define CR8_MASK 0xfu /* the bits of CR8, and of V_TPR that it holds */

#define VM_CR_R_INIT 0x00000002
#define VM_CR_LOCK   0x00000008
#define VM_CR_SVMDIS 0x00000010

#define PTE_PRESENT  0x001
#define PTE_WRITE    0x002
#define PTE_USER     0x004
#define PTE_PWT	     0x008
#define PTE_PCD	     0x010
#define PTE_ACCESSED 0x020
#define PTE_DIRTY    0x040
#define PTE_LARGE    0x080
#define PTE_TABLE    (PTE_PRESENT | PTE_WRITE)
#define PT_ADDR	     0x000ffffffffff000ull /* address bits of an entry */

#define PAGE_SIZE	0x1000
#define LARGE_PAGE_SIZE 0x200000
#define PTES_PER_TABLE	512

/* Exceptions below 32; those of PUSHES_ERROR push an error code: 8, 10-14,
 * 17, 21, 29, 30. */
#define VECTORS	     256
#define EXCEPTIONS   32
#define PUSHES_ERROR 0x60227d00
#define STUB_ALIGN   16 /* bytes of an entry in trap_stubs.S */
#define VECTOR_DB    1
#define VECTOR_NMI   2
#define VECTOR_BP    3
#define VECTOR_OF    4
#define VECTOR_BR    5
#define VECTOR_UD    6
#define VECTOR_GP    13
#define VECTOR_PF    14
#define VECTOR_CP    21
