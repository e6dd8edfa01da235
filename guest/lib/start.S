/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of a payload. A multiboot-1 loader (QEMU -kernel, GRUB) jumps to
 * start in 32-bit protected mode with paging off, EBX = information block,
 * bss zeroed. From here: long mode on static identity page tables, a stack,
 * main(command line), exit with the value that main returned.
 */
#include "guest/lib/x86.h"

#define MULTIBOOT_MAGIC	 0x1badb002
#define MULTIBOOT_MEMORY 0x00000002	/* please fill in mem_upper */

#define GDT_CODE64	0x00af9b000000ffff
#define GDT_DATA	0x00cf93000000ffff
#define GDT_CODE32	0x00cf9b000000ffff

	.section .multiboot, "a"
	.balign	4
	.long	MULTIBOOT_MAGIC
	.long	MULTIBOOT_MEMORY
	.long	-(MULTIBOOT_MAGIC + MULTIBOOT_MEMORY)

	.text
	.code32
	.globl	start
start:
	mov	$bsp_stack_top, %esp
	mov	$bsp_main, %esi

/*
 * The common way of all CPUs into long mode. Expects flat 32-bit segments,
 * ESP = stack, ESI = 64-bit code to go on with; keeps EBX and EDI.
 */
	.globl	enter_long_mode
enter_long_mode:
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$(CR0_PG | CR0_WP), %eax
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$SEL_CODE64, $1f

	.code64
1:	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%esp, %esp		/* the upper halves are undefined */
	mov	%esi, %esi
	jmp	*%rsi

bsp_main:
	xor	%ebp, %ebp
	mov	%ebx, %edi
	call	multiboot_save
	mov	%rax, %rdi
	call	main
	mov	%eax, %edi
	call	guest_exit

	.data
	.balign	8
	.globl	gdt_pointer
gdt_pointer:
	.word	GDT_SIZE - 1
	.quad	gdt

	.balign	8
	.globl	gdt
gdt:
	.quad	0
	.quad	GDT_CODE64
	.quad	GDT_DATA
	.quad	GDT_CODE32
	.org	gdt + GDT_SIZE

/* The first 4 GiB, one to one, in 2 MiB pages; page.c splits some later. */
	.balign	PAGE_SIZE
pml4:
	.quad	pdpt + PTE_TABLE
	.fill	PTES_PER_TABLE - 1, 8, 0
pdpt:
	.set	gib, 0
	.rept	IDENTITY_GIB
	.quad	page_directories + gib * PAGE_SIZE + PTE_TABLE
	.set	gib, gib + 1
	.endr
	.fill	PTES_PER_TABLE - IDENTITY_GIB, 8, 0

	.globl	page_directories
page_directories:
	.set	at, 0
	.rept	IDENTITY_GIB * PTES_PER_TABLE
	.quad	at + (PTE_LARGE | PTE_TABLE)
	.set	at, at + LARGE_PAGE_SIZE
	.endr

	.bss
	.balign	16
	.skip	BSP_STACK_SIZE
bsp_stack_top:

	.section .note.GNU-stack, "", @progbits
