/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real mode, protected mode, 32-bit paging, PAE paging, long mode,
 * compatibility mode, protected mode, real mode, VMMCALL. ESI counts stages; in
 * each there is a CPUID, and the count is stored as a byte.
 */
#include "guest/lib/x86.h"
#include "guest/test/svm_trip.h"

#define LOW(symbol) ((symbol) - svm_trip + TRIP_CODE)
#define SEL_CODE16  0x20
#define SEL_DATA16  0x28
#define GDT_CODE64  0x00af9b000000ffff
#define GDT_DATA    0x00cf93000000ffff
#define GDT_CODE32  0x00cf9b000000ffff
#define GDT_CODE16  0x00009b000000ffff
#define GDT_DATA16  0x000093000000ffff

	.macro	segments selector
	mov	\selector, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	.endm

	.macro	stage at
	inc	%esi
	xor	%eax, %eax
	cpuid
	mov	%esi, %eax
	mov	%al, \at - 1(%esi)
	.endm

	.macro	paging on
	mov	%cr0, %eax
	.if	\on
	or	$CR0_PG, %eax
	.else
	and	$~CR0_PG, %eax
	.endif
	mov	%eax, %cr0
	.endm

	.macro	long_mode on
	mov	$MSR_EFER, %ecx
	rdmsr
	.if	\on
	or	$EFER_LME, %eax
	.else
	and	$~EFER_LME, %eax
	.endif
	wrmsr
	.endm

	.section .rodata
	.globl	svm_trip, svm_trip_end
	.code16
svm_trip:
	xor	%esi, %esi
	segments $0
	stage	TRIP_LOW
	lgdtl	LOW(trip_gdt_pointer)
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $LOW(protected)

	.code32
protected:
	segments $SEL_DATA
	mov	$TRIP_STACK, %esp
	stage	TRIP_DATA

	mov	$CR4_PSE, %eax
	mov	%eax, %cr4
	mov	$TRIP_PD32, %eax
	mov	%eax, %cr3
	paging	1
	stage	TRIP_DATA
	paging	0

	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$TRIP_PDPT, %eax
	mov	%eax, %cr3
	paging	1
	stage	TRIP_DATA
	paging	0

	mov	$TRIP_PML4, %eax
	mov	%eax, %cr3
	long_mode 1
	paging	1
	ljmp	$SEL_CODE64, $LOW(sixty_four)

	.code64
sixty_four:
	stage	TRIP_DATA
	push	$SEL_CODE32
	push	$LOW(compatibility)
	lretq

	.code32
compatibility:
	stage	TRIP_DATA
	paging	0
	long_mode 0
	xor	%eax, %eax
	mov	%eax, %cr4
	stage	TRIP_DATA
	ljmp	$SEL_CODE16, $LOW(sixteen)

	.code16
sixteen:
	segments $SEL_DATA16
	mov	%cr0, %eax
	and	$~CR0_PE, %eax
	mov	%eax, %cr0
	ljmp	$0, $LOW(real)
real:
	segments $0
	stage	TRIP_LOW
	vmmcall

	.balign	8
trip_gdt:
	.quad	0
	.quad	GDT_CODE64
	.quad	GDT_DATA
	.quad	GDT_CODE32
	.quad	GDT_CODE16
	.quad	GDT_DATA16
trip_gdt_pointer:
	.word	. - trip_gdt - 1
	.long	LOW(trip_gdt)
svm_trip_end:

	.section .note.GNU-stack, "", @progbits
