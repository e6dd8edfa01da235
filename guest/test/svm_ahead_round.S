/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test/svm_ahead.h"

	/* @suffix: of the labels; @popf: or STI, right before VMLOAD. */
	.macro	round suffix, popf
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	ROUND_HOST(%rdi)
	push	ROUND_SELF(%rdi)
	mov	ROUND_BLOCK(%rdi), %rax
	.if	\popf
	push	ROUND_FLAGS(%rdi)
	popf
	.else
	sti
	.endif
	vmload
ahead_loaded\suffix:
	mov	ROUND_INFO(%rdi), %rax
ahead_info\suffix:
	mov	8(%rax), %rax
	mov	8(%rdi), %rcx
	mov	16(%rdi), %rdx
ahead_rbx\suffix:
	mov	24(%rdi), %rbx
	mov	40(%rdi), %rbp
	mov	48(%rdi), %rsi
	mov	64(%rdi), %r8
	mov	72(%rdi), %r9
	mov	80(%rdi), %r10
	mov	88(%rdi), %r11
	mov	96(%rdi), %r12
	mov	104(%rdi), %r13
	mov	112(%rdi), %r14
	mov	120(%rdi), %r15
	mov	56(%rdi), %rdi
	jmp	1f
	ud2
1:	vmrun
ahead_pop\suffix:
	pop	%rax
ahead_store\suffix:
	mov	%rcx, 8(%rax)
	mov	%rdx, 16(%rax)
	mov	%rbx, 24(%rax)
	mov	%rbp, 40(%rax)
	mov	%rsi, 48(%rax)
	mov	%rdi, 56(%rax)
	mov	%r8, 64(%rax)
	mov	%r9, 72(%rax)
	mov	%r10, 80(%rax)
	mov	%r11, 88(%rax)
	mov	%r12, 96(%rax)
	mov	%r13, 104(%rax)
	mov	%r14, 112(%rax)
	mov	%r15, 120(%rax)
	mov	%rax, %rdi
	mov	ROUND_BLOCK(%rdi), %rax
	vmsave
	pop	%rax
	vmload
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.endm

	.text
	.globl	ahead_round, ahead_round_sti, ahead_round_below
	.globl	ahead_round_on
	.globl	ahead_loaded, ahead_info, ahead_rbx, ahead_pop, ahead_store
	.globl	ahead_loaded_sti
	.balign	256
ahead_round:
	round	, 1
	.balign	256
ahead_round_sti:
	round	_sti, 0

ahead_round_below:
	neg	%rsi
	lea	-8(%rsp, %rsi), %rsi
ahead_round_on:
	push	%rbp
	mov	%rsp, %rbp
	mov	%rsi, %rsp
	call	ahead_round
	leave
	ret

	.section .note.GNU-stack, "", @progbits
