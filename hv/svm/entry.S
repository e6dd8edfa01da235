/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void svm_enter(u64 vmcb_pa, u64 gpr[16], struct vcpu *v)
 *
 * Runs the guest until its next #VMEXIT. RAX and RSP are the VMCB's; the other
 * general registers go in from gpr[] and come back there. Called and returns
 * with GIF=0. FS, GS, TR, LDTR and the MSRs of VMLOAD stay the guest's: L0 uses
 * none of them.
 *
 * After an exit that svm_quick_exit(v) deals with, the block runs whose address
 * it returns, with the registers that it leaves in gpr[].
 */
	.text
	.globl	svm_enter
svm_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rsi
	push	%rdx
	sub	$8, %rsp
	mov	%rdi, %rax
1:	mov	8(%rsi), %rcx
	mov	16(%rsi), %rdx
	mov	24(%rsi), %rbx
	mov	40(%rsi), %rbp
	mov	56(%rsi), %rdi
	mov	64(%rsi), %r8
	mov	72(%rsi), %r9
	mov	80(%rsi), %r10
	mov	88(%rsi), %r11
	mov	96(%rsi), %r12
	mov	104(%rsi), %r13
	mov	112(%rsi), %r14
	mov	120(%rsi), %r15
	mov	48(%rsi), %rsi
	vmrun	%rax
	mov	16(%rsp), %rax
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
	cld
	mov	8(%rsp), %rdi
	call	svm_quick_exit
	mov	16(%rsp), %rsi
	test	%rax, %rax
	jnz	1b
	add	$24, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/*
 * void svm_take_nmi(void); void svm_wait_nmi(void)
 * GIF is all that holds an NMI off. One that comes between STGI and HLT must
 * not be slept over: its handler goes on behind the HLT (hv/safe.h).
 */
	.globl	svm_take_nmi, svm_wait_nmi
svm_take_nmi:
	stgi
	nop
	clgi
	ret

svm_wait_nmi:
	stgi
1:	hlt
2:	clgi
	ret

	.section .fixups, "a"
	.quad	1b, 2b

	.section .note.GNU-stack, "", @progbits
