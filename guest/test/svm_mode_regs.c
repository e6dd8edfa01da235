/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L2's own writes to CR0, CR3, CR4 and EFER, which L1 does not intercept (AMD
 * APM vol. 2, 15.25.2), and memory in bulk.
 */
#include "guest/test/svm_mode.h"

#include "guest/test/svm_guest.h"
#include "guest/test/svm_trip.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define RFLAGS_AC 0x40000ull
#define EBX_SMEP  (1u << 7)
#define EBX_SMAP  (1u << 20)
#define BULK	  (40ull << 20)
#define BULK_SIZE (16ull << 20)

SVM_CODE(do_read, "mov (%rbx), %rcx")
SVM_CODE(do_fetch, "jmp *%rbx")
SVM_CODE(do_cr0, "mov %cr0, %rcx; xor $0x10000, %rcx; mov %rcx, %cr0")
SVM_CODE(do_cr3, "mov %cr3, %rcx; mov %rsi, %cr3; mov %cr3, %rdx")
SVM_CODE(do_cr4, "mov %cr4, %rcx; xor $0x80, %rcx; mov %rcx, %cr4")
/* With REX.W ECX is 1; where the prefix is DEC EAX, it is 0. */
SVM_CODE(do_rex, "mov $1, %ecx; mov $2, %eax; .byte 0x48; dec %eax;"
		 "and %eax, %ecx")
SVM_CODE(do_cr3_from, "mov %rbx, %cr3")
SVM_CODE(do_cr4_from, "mov %rbx, %cr4")
SVM_CODE(do_cr3_read, "mov (%rbx), %rdx; mov %rsi, %cr3; mov (%rbx), %rcx")
SVM_CODE(do_wp_write, "mov %cr0, %rcx; and $~0x10000, %rcx; mov %rcx, %cr0;"
		      "movl $0x5511, (%rbx); or $0x10000, %rcx;"
		      "mov %rcx, %cr0; mov $1, %edi; movl $0x5512, (%rbx)")
SVM_CODE(do_efer, "mov $0xc0000080, %ecx; rdmsr; xor %esi, %eax; wrmsr; rdmsr;"
		  "mov %eax, %ebx")
SVM_CODE(do_nxe_fetch, "mov $0xc0000080, %ecx; rdmsr; or $0x800, %eax; wrmsr;"
		       "jmp *%rbx")
/* Fills RCX quadwords from RDI with their address, then adds them up. */
SVM_CODE(do_bulk, "mov %rdi, %rsi; mov %rcx, %rdx; 1: mov %rdi, (%rdi);"
		  "add $8, %rdi; dec %rcx; jnz 1b; xor %ebx, %ebx;"
		  "2: add (%rsi), %rbx; add $8, %rsi; dec %rdx; jnz 2b")

/* L2's control registers ****************************************************/

static void cr0_written(const struct l2_row *r)
{
	u64 old = svm_vmcb.save.cr0, own = read_cr0();

	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("cr0", svm_vmcb.save.cr0, old ^ CR0_WP);
	l2_expect("cr0 of L1", read_cr0(), own);
}

static void cr4_written(const struct l2_row *r)
{
	u64 old = svm_vmcb.save.cr4, own, after;

	__asm__ volatile("mov %%cr4, %0" : "=r"(own));
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	__asm__ volatile("mov %%cr4, %0" : "=r"(after));
	l2_expect("cr4", svm_vmcb.save.cr4, old ^ CR4_PGE);
	l2_expect("cr4 of L1", after, own);
}

static void cr3_written(const struct l2_row *r)
{
	u64 old = svm_vmcb.save.cr3, own = read_cr3();

	memcpy((void *)TRIP_PML4, (void *)old, PAGE_SIZE);
	svm_regs.rsi = TRIP_PML4;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("before", svm_regs.rcx, old);
	l2_expect("after", svm_regs.rdx, TRIP_PML4);
	l2_expect("saved", svm_vmcb.save.cr3, TRIP_PML4);
	l2_expect("cr3 of L1", read_cr3(), own);
}

/* New tables of L2's own, in force at once. */
static void cr3_remaps(const struct l2_row *r)
{
	target_reset();
	svm_regs.rbx = TARGET;
	svm_regs.rsi = target_other_tables();
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("before", svm_regs.rdx, WORD_A);
	l2_expect("after", svm_regs.rcx, WORD_B);
}

/* Without CR0.WP L2 writes to its read-only page, with it it does not. */
static void wp_toggled(const struct l2_row *r)
{
	target_reset();
	*target_guest_entry(LEVEL_PD) &= ~(u64)PTE_WRITE;
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_PF));
	l2_expect("reached", svm_regs.rdi, 1);
	l2_expect("written", (u32)TARGET_WORD(CHAIN_A), MARK);
	l2_expect("error code", svm_vmcb.control.exit_info_1, 3);
}

static u32 features_7(void)
{
	return cpuid(0, 0).eax >= 7 ? cpuid(7, 0).ebx : 0;
}

/* A page of L2's user, for its kernel: CR4 .set, which is CPUID's bit .arg;
 * RFLAGS .clear. Exit .want, or none of it where the CPU has no such bit. */
static void user_page(const struct l2_row *r)
{
	bool there = features_7() & r->arg;

	target_reset();
	TARGET_WORD(CHAIN_A) = 0xd9010f; /* VMMCALL */
	for (unsigned level = LEVEL_PD; level <= LEVEL_PML4; level++)
		*target_guest_entry(level) |= PTE_USER;
	svm_vmcb.save.cr4 =
		(svm_vmcb.save.cr4 & ~(u64)(CR4_SMEP | CR4_SMAP)) | r->set;
	svm_vmcb.save.rflags |= r->clear;
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, there || !r->set ? r->want : VMCB_EXIT_INVALID);
	if (there && r->want == EXIT_OF(VECTOR_PF))
		l2_expect("error code", svm_vmcb.control.exit_info_1,
			  r->code == do_fetch ? 0x11 : 1);
}

/* L2 flips bits .arg of its EFER. */
static void efer_written(const struct l2_row *r)
{
	u64 old = svm_vmcb.save.efer, own = rdmsr(MSR_EFER);

	svm_regs.rsi = r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("read back", svm_regs.rbx, (u32)(old ^ r->arg));
	l2_expect("saved", svm_vmcb.save.efer, old ^ r->arg);
	l2_expect("efer of L1", rdmsr(MSR_EFER), own);
}

/* NX is a reserved bit to L2 until it sets NXE. */
static void efer_nxe(const struct l2_row *r)
{
	target_reset();
	*target_guest_entry(LEVEL_PD) |= NPTE_NX;
	svm_vmcb.save.efer &= ~(u64)EFER_NXE;
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_PF));
	l2_expect("error code", svm_vmcb.control.exit_info_1, r->want);
	l2_expect("address", svm_vmcb.control.exit_info_2, TARGET);
}

/* Legal: PAE is asked for when paging begins. */
static void efer_lme(const struct l2_row *r)
{
	u64 own = read_cr0();

	mode_no_paging(CR0_PE);
	svm_vmcb.save.efer |= EFER_LME;
	svm_vmcb.save.cr4 &= ~(u64)CR4_PAE;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("cr0 of L1", read_cr0(), own);
}

/* The CPU makes LMA of LME and PG. */
static void efer_lma(const struct l2_row *r)
{
	if (r->arg)
		mode_protected();
	svm_vmcb.save.efer ^= EFER_LMA;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("rcx", svm_regs.rcx, r->want);
	l2_expect("LMA", svm_vmcb.save.efer & EFER_LMA, r->arg ? 0 : EFER_LMA);
}

/* Reserved bits are #GP, and nothing is changed. */
static void cr_reserved(const struct l2_row *r)
{
	u64 old = svm_vmcb.save.cr4;

	svm_regs.rbx = r->arg;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_GP));
	l2_expect("error code", svm_vmcb.control.exit_info_1, 0);
	l2_expect("cr4", svm_vmcb.save.cr4, old);
	l2_expect("rip", svm_vmcb.save.rip, (u64)r->code);
}

/* Upper bits of CR3 mean nothing outside of long mode. */
static void cr3_legacy(const struct l2_row *r)
{
	mode_protected();
	svm_vmcb.save.cr3 = r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
}

static const struct l2_row registers[] = {
	L2_ROW("efer-lme-without-pae", efer_lme, NULL),
	L2_ROW("efer-lma-missing", efer_lma, do_rex, .want = 1),
	L2_ROW("efer-lma-without-paging", efer_lma, do_rex, .arg = 1),
	L2_ROW("cr3-far-without-paging", cr3_legacy, NULL, .arg = 1ull << 60),
	L2_ROW("cr4-reserved", cr_reserved, do_cr4_from, .arg = 1ull << 40),
	L2_ROW("cr3-reserved", cr_reserved, do_cr3_from, .arg = 1ull << 60),
	L2_ROW("cr0-written", cr0_written, do_cr0),
	L2_ROW("cr3-written", cr3_written, do_cr3),
	L2_ROW("cr4-written", cr4_written, do_cr4),
	L2_ROW("cr3-remaps", cr3_remaps, do_cr3_read),
	L2_ROW("cr0-wp", wp_toggled, do_wp_write),
	L2_ROW("smep-off", user_page, do_fetch, .arg = EBX_SMEP,
	       .want = VMCB_EXIT_VMMCALL),
	L2_ROW("smep-on", user_page, do_fetch, .arg = EBX_SMEP, .set = CR4_SMEP,
	       .want = EXIT_OF(VECTOR_PF)),
	L2_ROW("smap-off", user_page, do_read, .arg = EBX_SMAP,
	       .want = VMCB_EXIT_VMMCALL),
	L2_ROW("smap-on", user_page, do_read, .arg = EBX_SMAP, .set = CR4_SMAP,
	       .want = EXIT_OF(VECTOR_PF)),
	L2_ROW("smap-on-ac", user_page, do_read, .arg = EBX_SMAP,
	       .set = CR4_SMAP, .clear = RFLAGS_AC, .want = VMCB_EXIT_VMMCALL),
	L2_ROW("efer-sce", efer_written, do_efer, .arg = EFER_SCE),
	L2_ROW("efer-nxe", efer_written, do_efer, .arg = EFER_NXE),
	L2_ROW("efer-nx-reserved", efer_nxe, do_fetch, .want = 0x9),
	L2_ROW("efer-nx-in-force", efer_nxe, do_nxe_fetch, .want = 0x11),
};

const struct l2_table mode_registers = L2_TABLE(registers);

/* Memory in bulk ************************************************************/

#define WORDS (BULK_SIZE / 8)
/* The sum of the addresses of all words. */
#define SUM   (WORDS * BULK + 8 * (WORDS * (WORDS - 1) / 2))

static void expect_bulk(void)
{
	u64 sum = 0;

	for (u64 i = 0; i < WORDS; i++)
		sum += ((u64 *)BULK)[i];
	l2_expect("sum of L1", sum, SUM);
	l2_expect("sum of L2", svm_regs.rbx, SUM);
	memset((void *)BULK, 0, BULK_SIZE);
}

static void start_bulk(void)
{
	svm_regs.rdi = BULK;
	svm_regs.rcx = WORDS;
}

static void bulk(const struct l2_row *r)
{
	start_bulk();
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	expect_bulk();
}

/* L1 gives memory when L2 asks for it, 2 MiB at a time. */
static void bulk_lazy(const struct l2_row *r)
{
	u64 *root = (u64 *)svm_vmcb.control.ncr3;
	u64 *pdpt = (u64 *)(root[0] & ~0xfffull);
	u64 *pd = (u64 *)(pdpt[0] & ~0xfffull), at = (u64)r->code;
	unsigned faults = 0;

	for (u64 a = BULK; a < BULK + BULK_SIZE; a += LARGE_PAGE_SIZE)
		pd[a / LARGE_PAGE_SIZE] = 0;
	start_bulk();
	while (l2_run((svm_code *)at) == VMCB_EXIT_NPF && faults < 100) {
		u64 gpa = svm_vmcb.control.exit_info_2;

		pd[gpa / LARGE_PAGE_SIZE % PTES_PER_TABLE] =
			(gpa & ~(LARGE_PAGE_SIZE - 1ull)) | PTE_LARGE |
			NPTE_ALL;
		svm_vmcb.control.tlb_control = VMCB_TLB_KEEP;
		at = svm_vmcb.save.rip;
		faults++;
	}
	l2_expect("exit", svm_vmcb.control.exit_code, VMCB_EXIT_VMMCALL);
	l2_expect("faults", faults, BULK_SIZE / LARGE_PAGE_SIZE);
	expect_bulk();
}

static const struct l2_row memory[] = {
	L2_ROW("bulk", bulk, do_bulk),
	L2_ROW("bulk-lazy", bulk_lazy, do_bulk),
};

const struct l2_table mode_memory = L2_TABLE(memory);
