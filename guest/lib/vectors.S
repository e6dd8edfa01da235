/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 256 interrupt entries, and trap_try(), which marks the place where
 * trap_dispatch() resumes after an expected exception.
 */
#include "guest/lib/x86.h"

#define TRAP_VECTORS VECTORS
#include "lib/trap_stubs.S"

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
