/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of L0 from a multiboot 1 or 2 loader: 32-bit protected mode, paging
 * off, EAX = the loader's magic, EBX = its information. From here: long mode
 * on page tables that map the first 4 GiB one to one, the same at DIRECT_MAP,
 * and the image at HV_BASE; then hv_main(magic, information).
 */
#include "hv/layout.h"

#define PHYS(symbol) ((symbol) - HV_BASE + HV_LOAD)

#define MB1_MAGIC     0x1badb002
#define MB2_MAGIC     0xe85250d6
#define MB1_FLAGS     0x00010003 /* page-aligned modules, memory, addresses */
#define MB2_I386      0
#define MB2_ADDRESS   2
#define MB2_ENTRY     3
#define MB2_ALIGN     6
#define BOOT_GIB      4

	.section .multiboot, "a"
/*
 * Both headers give addresses instead of relying on the ELF header: QEMU and
 * GRUB refuse or misread ELF64 otherwise.
 */
	.balign	8
mb1:
	.long	MB1_MAGIC
	.long	MB1_FLAGS
	.long	-(MB1_MAGIC + MB1_FLAGS)
	.long	PHYS(mb1)
	.long	HV_LOAD
	.long	PHYS(data_end)
	.long	HV_LOAD_END
	.long	PHYS(boot_entry)

	.balign	8
mb2:
	.long	MB2_MAGIC
	.long	MB2_I386
	.long	mb2_end - mb2
	.long	-(MB2_MAGIC + MB2_I386 + (mb2_end - mb2))
	.short	MB2_ADDRESS, 0
	.long	24
	.long	PHYS(mb2)
	.long	HV_LOAD
	.long	PHYS(data_end)
	.long	HV_LOAD_END
	.short	MB2_ENTRY, 0
	.long	12
	.long	PHYS(boot_entry)
	.long	0
	.short	MB2_ALIGN, 0
	.long	8
	.short	0, 0
	.long	8
mb2_end:

	.section .boot, "ax"
	.code32
	.globl	boot_entry
boot_entry:
	cld
	mov	%eax, %ebp
	mov	%ebx, %edi
	mov	$PHYS(boot_stack_top), %esp
	mov	$0x80000001, %eax	/* long mode and NX, or nothing */
	cpuid
	and	$0x20100000, %edx
	cmp	$0x20100000, %edx
	jne	no_long_mode
	mov	$PHYS(boot_pml4), %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$(EFER_LME | EFER_NXE), %eax
	wrmsr
	mov	%cr0, %eax
	or	$(CR0_PG | CR0_WP | CR0_PE), %eax
	mov	%eax, %cr0
	lgdt	PHYS(boot_gdt_pointer)
	ljmp	$SEL_CODE64, $PHYS(in_long_mode)

/* There is no console yet: a word on COM1, then stop. */
no_long_mode:
	mov	$PHYS(complaint), %esi
	mov	$0x3f8, %edx
1:	lodsb
	test	%al, %al
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	hlt
	jmp	2b

	.code64
in_long_mode:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	movabs	$boot_stack_top, %rsp
	mov	%edi, %esi
	mov	%ebp, %edi
	lgdt	gdt_pointer
	xor	%ebp, %ebp
	movabs	$hv_main, %rax
	call	*%rax
	ud2

/*
 * void boot_move(u64 cr3, void (*go_on)(void), u64 to)
 * Copies the image to @to (virtual) and goes on in the copy: the page tables
 * of @cr3 map it where this code runs now.
 */
	.globl	boot_move
boot_move:
	mov	%rdi, %rax
	mov	%rsi, %rbx
	mov	%rdx, %rdi
	mov	$image_start, %rsi
	mov	$image_end, %rcx
	sub	%rsi, %rcx
	shr	$3, %rcx
	rep movsq
	mov	%rax, %cr3
	mov	$boot_stack_top, %rsp
	call	*%rbx
	ud2

	.section .rodata
complaint:
	.asciz	"nestbox: this CPU has no long mode or no NX\r\n"

	.data
	.balign	8
boot_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	PHYS(gdt)
	.balign	8
	.globl	gdt_pointer
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
	.balign	8
gdt:
	.quad	0
	.quad	GDT_CODE64
	.quad	GDT_DATA
	.quad	GDT_CODE32
gdt_end:

/* One PDPT serves address 0 and DIRECT_MAP, another one HV_BASE. */
	.balign	PAGE_SIZE
boot_pml4:
	.quad	PHYS(boot_low) + PTE_TABLE
	.fill	255, 8, 0
	.quad	PHYS(boot_low) + PTE_TABLE
	.fill	254, 8, 0
	.quad	PHYS(boot_high) + PTE_TABLE
boot_low:
	.set	gib, 0
	.rept	BOOT_GIB
	.quad	PHYS(boot_directories) + gib * PAGE_SIZE + PTE_TABLE
	.set	gib, gib + 1
	.endr
	.fill	PTES_PER_TABLE - BOOT_GIB, 8, 0
boot_high:
	.fill	510, 8, 0
	.quad	PHYS(boot_image) + PTE_TABLE
	.quad	0
boot_image:
	.quad	HV_LOAD + PTE_TABLE + PTE_LARGE
	.fill	511, 8, 0
boot_directories:
	.set	page, 0
	.rept	BOOT_GIB * PTES_PER_TABLE
	.quad	page + PTE_TABLE + PTE_LARGE
	.set	page, page + LARGE_PAGE_SIZE
	.endr

/* hv.ld aligns it: this_cpu() works on it, too, and finds zeros. */
	.section .boot_stack, "aw", @nobits
	.fill	STACK_SIZE, 1, 0
	.globl	boot_stack_top
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
