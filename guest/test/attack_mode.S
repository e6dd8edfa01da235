/* SPDX-License-Identifier: Apache-2.0 */
/*
 * u32 attack_modes(bool prefixes), a copy of this code at ATTACK_LOW
 *
 * Executes what exits in all modes that a guest has beside 64-bit mode: 32- and
 * 16-bit code under long mode, protected mode without paging, 32- and 16-bit,
 * and real mode. Returns how often L0 told its version, MODES times if all is
 * well. Nothing in it faults: the IDT is one for long mode.
 */
#include "guest/lib/x86.h"
#include "guest/test/attack_mode.h"

#define LOW(symbol)	  ((symbol) - attack_modes + ATTACK_LOW)
#define VERSION		  0x6e620000
#define SEL_CODE16	  0x20
#define SEL_DATA16	  0x28
#define GDT_CODE64	  0x00af9b000000ffff
#define GDT_DATA	  0x00cf93000000ffff
#define GDT_CODE32	  0x00cf9b000000ffff
#define GDT_CODE16	  0x00009b000000ffff
#define GDT_DATA16	  0x000093000000ffff

/* ESI counts the answers, EDI says whether to use prefixes. */
	.macro	probe
	xor	%eax, %eax
	cpuid
	mov	$MSR_EFER, %ecx
	rdmsr
	wrmsr
	test	%edi, %edi
	jz	1f
	.byte	0x66
	cpuid
	.byte	0x67
	cpuid
	.byte	0x26, 0x67, 0x66
	cpuid
	mov	$MSR_EFER, %ecx
	.byte	0x66
	rdmsr
1:	mov	$VERSION, %eax
	vmmcall
	cmp	$1, %eax
	jne	2f
	inc	%esi
2:
	.endm

	.macro	segments selector
	mov	\selector, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	.endm

	.section .rodata
	.globl	attack_modes, attack_modes_end
	.code64
attack_modes:
	push	%rbx
	push	%rbp
	mov	%rsp, ATTACK_DATA
	sgdt	ATTACK_DATA + 8
	lgdt	LOW(low_gdt_pointer)
	xor	%esi, %esi
	push	$SEL_CODE32
	push	$LOW(compat32)
	lretq

	.code32
compat32:
	segments $SEL_DATA
	probe
	ljmp	$SEL_CODE16, $LOW(compat16)

	.code16
compat16:
	probe
	ljmpl	$SEL_CODE32, $LOW(leave)

	.code32
leave:
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	mov	$MSR_EFER, %ecx
	rdmsr
	and	$~EFER_LME, %eax
	wrmsr
	probe
	ljmp	$SEL_CODE16, $LOW(protected16)

	.code16
protected16:
	segments $SEL_DATA16
	probe
	mov	%cr0, %eax
	and	$~CR0_PE, %eax
	mov	%eax, %cr0
	ljmp	$0, $LOW(real)
real:
	segments $0
	probe
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $LOW(back)

	.code32
back:
	segments $SEL_DATA
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	ljmp	$SEL_CODE64, $LOW(long_mode)

	.code64
long_mode:
	lgdt	ATTACK_DATA + 8
	segments $SEL_DATA
	mov	ATTACK_DATA, %rsp
	mov	%esi, %eax
	pop	%rbp
	pop	%rbx
	ret

	.balign	8
low_gdt:
	.quad	0
	.quad	GDT_CODE64
	.quad	GDT_DATA
	.quad	GDT_CODE32
	.quad	GDT_CODE16
	.quad	GDT_DATA16
low_gdt_pointer:
	.word	. - low_gdt - 1
	.quad	LOW(low_gdt)
attack_modes_end:

/*
 * u64 attack_call(const u64 regs[16], void *code): calls code() with the
 * general registers of regs[], but for RSP; returns its RAX.
 */
	.text
	.globl	attack_call
attack_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rsi
	mov	(%rdi), %rax
	mov	8(%rdi), %rcx
	mov	16(%rdi), %rdx
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
	call	*(%rsp)
	add	$8, %rsp
	cld
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
