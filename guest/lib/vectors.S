/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 256 interrupt entries: each makes the stack a struct trap_frame
 * (idt.h) and calls trap_dispatch(frame). Also trap_try(), which marks the
 * place where trap_dispatch() resumes after an expected exception.
 */
#include "guest/lib/x86.h"

	.text
	.balign	STUB_ALIGN
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	VECTORS
	.balign	STUB_ALIGN
	.set	pushes, 0
	.if	vector < EXCEPTIONS
	.set	pushes, (PUSHES_ERROR >> vector) & 1
	.endif
	.if	!pushes
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	call	trap_dispatch
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp		/* vector and error code */
	iretq

/*
 * int trap_try(void (*fn)(void *arg), void *arg)
 *
 * trap_dispatch() resumes at trap_caught with RSP = trap_resume and
 * RAX = the vector; fn's own frames are simply dropped.
 */
	.globl	trap_try
trap_try:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, trap_resume
	mov	%rdi, %rax
	mov	%rsi, %rdi
	sub	$8, %rsp		/* calls want RSP a multiple of 16 */
	call	*%rax
	add	$8, %rsp
	mov	$NO_TRAP, %eax
	.globl	trap_caught
trap_caught:
	movq	$0, trap_resume
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
