/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of interrupts and exceptions: each makes the stack a struct
 * trap_frame (trap.h) and calls trap_dispatch(frame). Not assembled by itself:
 * define TRAP_VECTORS, how many there are, and include it. STUB_ALIGN bytes
 * each, from trap_stubs on.
 */
#include "lib/x86.h"

	.text
	.balign	STUB_ALIGN
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	TRAP_VECTORS
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
