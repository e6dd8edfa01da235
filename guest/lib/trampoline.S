/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of an application processor from its SIPI to ap_main(index).
 * All of them may come at once: the trampoline uses no stack, and indices
 * are handed out atomically.
 */
#include "guest/lib/x86.h"

	.text
	.code16
	.globl	trampoline
trampoline:				/* runs as a copy at TRAMPOLINE */
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	TRAMPOLINE + trampoline_gdt - trampoline
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $ap_start

	.balign	8
trampoline_gdt:
	.word	GDT_SIZE - 1
	.long	gdt
trampoline_end:

	.globl	trampoline_size
trampoline_size:
	.long	trampoline_end - trampoline

	.code32
ap_start:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$1, %edi
	lock xadd %edi, smp_claimed	/* EDI = our index, from 1 */
	cmp	$SMP_MAX_CPUS, %edi
	jae	park
	mov	%edi, %esp
	shl	$STACK_SHIFT, %esp
	add	$ap_stacks, %esp	/* the end of stack index - 1 */
	mov	$ap_enter, %esi
	jmp	enter_long_mode
park:
	cli
	hlt
	jmp	park

	.code64
ap_enter:
	xor	%ebp, %ebp
	call	ap_main			/* EDI is still the index */

	.data
	.balign	4
	.globl	smp_claimed
smp_claimed:
	.long	1

	.section .note.GNU-stack, "", @progbits
