/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of another CPU from its start-up IPI to L0: a copy of this page at
 * TRAMPOLINE, entered in real mode, filled in by hv/smp.c. One CPU at a time.
 * Then trampoline_entry() runs on that CPU's stack with L0's page tables, and
 * low memory mapped.
 */
#include "hv/layout.h"

#define AT(symbol) ((symbol) - trampoline + TRAMPOLINE)

	.section .rodata
	.balign	16
	.globl	trampoline
trampoline:
	.code16
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	AT(low_gdt_pointer)
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $AT(protected_mode)

	.code32
protected_mode:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	AT(trampoline_cr3), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$(EFER_LME | EFER_NXE), %eax
	wrmsr
	mov	$(CR0_PG | CR0_WP | CR0_ET | CR0_PE), %eax	/* caches on */
	mov	%eax, %cr0
	ljmp	$SEL_CODE64, $AT(long_mode)

	.code64
long_mode:
	mov	AT(trampoline_stack), %rsp
	movabs	$gdt_pointer, %rax
	lgdt	(%rax)
	xor	%ebp, %ebp
	call	*AT(trampoline_entry)
	ud2

	.balign	8
low_gdt:
	.quad	0
	.quad	GDT_CODE64
	.quad	GDT_DATA
	.quad	GDT_CODE32
low_gdt_pointer:
	.word	low_gdt_pointer - low_gdt - 1
	.long	AT(low_gdt)
	.balign	8
	.globl	trampoline_cr3, trampoline_stack, trampoline_entry
trampoline_cr3:
	.quad	0
trampoline_stack:
	.quad	0
trampoline_entry:
	.quad	0
	.globl	trampoline_end
trampoline_end:

	.section .note.GNU-stack, "", @progbits
