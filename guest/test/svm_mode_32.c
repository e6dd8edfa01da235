/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L2 in protected mode: without paging, with 32-bit and with PAE paging (AMD
 * APM vol. 2, 15.25.5, 15.25.6 and 15.25.10).
 */
#include "guest/test/svm_mode.h"

#include "guest/lib/idt.h"
#include "guest/test/svm_trip.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define VECTOR_INT  0x41
#define TAKEN	    0x7a
#define CODE32	    0xc9b
#define DATA32	    0xc93
#define GATE32	    0x8e00u
#define RESERVED_32 (1ull << 13) /* of a 4 MiB page */

CODE_OF("32", store32, "movl $0x5511, (%ebx)")
CODE_OF("32", load32, "movl (%ebx), %ecx")
CODE_OF("32", int32, "int $0x41")
CODE_OF("32", ud32, "ud2")
CODE_OF("32", taken32, "mov $0x7a, %edi")
CODE_OF("32", cr3_then_load, "mov %esi, %cr3; mov (%ebx), %ecx")

/* Protected mode ************************************************************/

static void set_gate32(unsigned vector, svm_code *handler)
{
	u32 *g = (u32 *)(SVM_IDT + vector * 8ul), at = (u32)(u64)handler;

	g[0] = SEL_CODE32 << 16 | (at & 0xffff);
	g[1] = (at & 0xffff0000) | GATE32;
}

void mode_protected(void)
{
	struct vmcb_save *s = &svm_vmcb.save;

	mode_no_paging(CR0_PE);
	mode_segments(CODE32, DATA32);
	s->cs.selector = SEL_CODE32;
	s->ss.selector = SEL_DATA;
	for (unsigned v = 0; v < VECTORS; v++)
		set_gate32(v, svm_handler);
	set_gate32(VECTOR_INT, taken32);
	set_gate32(VECTOR_UD, taken32);
	s->idtr.limit = 8 * VECTORS - 1;
}

static void protected_stores(const struct l2_row *r)
{
	mode_protected();
	svm_regs.rbx = SVM_PAGE_A;
	*svm_npte(SVM_PAGE_A) += r->arg;
	*(u32 *)(SVM_PAGE_A + r->arg) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("stored", *(u32 *)(SVM_PAGE_A + r->arg), MARK);
}

static void protected_npf(const struct l2_row *r)
{
	mode_protected();
	svm_regs.rbx = SVM_PAGE_A + 4;
	*svm_npte(SVM_PAGE_A) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("info 1", svm_vmcb.control.exit_info_1,
		  VMCB_NPF_FINAL | VMCB_NPF_USER | VMCB_NPF_WRITE);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, SVM_PAGE_A + 4);
}

/* Frames of 32 bits; .want: the return address behind .code. */
static void protected_interrupt(const struct l2_row *r)
{
	mode_protected();
	vmcb_pass(&svm_vmcb, EXIT_OF(VECTOR_UD));
	svm_vmcb.control.event_inj = r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rdi, TAKEN);
	l2_expect("bytes", SVM_GUEST_STACK - svm_vmcb.save.rsp, 12);
	l2_expect("return to", *(u32 *)svm_vmcb.save.rsp,
		  (u64)r->code + r->want);
}

static void protected_shutdown(const struct l2_row *r)
{
	mode_protected();
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 0;
	svm_vmcb.save.idtr.limit = 0;
	l2_expect_exit(r->code, VMCB_EXIT_SHUTDOWN);
}

static const struct l2_row protected_rows[] = {
	L2_ROW("protected-stores", protected_stores, store32),
	L2_ROW("protected-stores-remapped", protected_stores, store32,
	       .arg = PAGE_SIZE),
	L2_ROW("protected-npf", protected_npf, store32),
	L2_ROW("protected-int", protected_interrupt, int32, .want = 2),
	L2_ROW("protected-ud", protected_interrupt, ud32),
	L2_ROW("protected-inject-intr", protected_interrupt, load32,
	       .arg = VMCB_EVENT_VALID | VMCB_EVENT_INTR | VECTOR_INT),
	L2_ROW("protected-shutdown", protected_shutdown, ud32),
};

const struct l2_table mode_protected_rows = L2_TABLE(protected_rows);

/* 32-bit and PAE paging *****************************************************/

#define PT32	 (SVM_SCRATCH + 0x30000)
#define PAE_PD	 (SVM_SCRATCH + 0x31000)
#define PAE_PT	 (SVM_SCRATCH + 0x32000)
#define VIRTUAL	 0x80401000ull /* L2's address of page A */
#define INDEX_32 (VIRTUAL >> 22)
#define PT_INDEX (VIRTUAL >> 12 & 1023)

static u32 *pte32(void)
{
	return (u32 *)PT32 + PT_INDEX;
}

static u64 *pte_pae(void)
{
	return (u64 *)PAE_PT + (VIRTUAL >> 12 & 511);
}

void mode_paging32(void)
{
	u32 *pd = (u32 *)TRIP_PD32;

	memset((void *)PT32, 0, PAGE_SIZE);
	for (u32 i = 0; i < 1024; i++)
		pd[i] = i << 22 | PTE_LARGE | PTE_TABLE;
	pd[INDEX_32] = PT32 | PTE_TABLE;
	*pte32() = SVM_PAGE_A | PTE_TABLE;
	svm_vmcb.save.cr3 = TRIP_PD32;
	svm_vmcb.save.cr4 = CR4_PSE;
}

void mode_pae(void)
{
	u64 *pdpt = (u64 *)TRIP_PDPT, *pd = (u64 *)PAE_PD;
	u64 *low = (u64 *)(PAE_PT + PAGE_SIZE);

	memset(pd, 0, 2ul * PAGE_SIZE);
	memset(pdpt, 0, PAGE_SIZE);
	for (u64 i = 0; i < PTES_PER_TABLE; i++)
		low[i] = i * LARGE_PAGE_SIZE | PTE_LARGE | PTE_TABLE;
	pdpt[0] = (u64)low | PTE_PRESENT;
	pdpt[VIRTUAL >> 30] = PAE_PD | PTE_PRESENT;
	pd[VIRTUAL >> 21 & 511] = PAE_PT | PTE_TABLE;
	*pte_pae() = SVM_PAGE_A | PTE_TABLE;
	svm_vmcb.save.cr3 = TRIP_PDPT;
	svm_vmcb.save.cr4 = CR4_PAE;
}

/* .set: PAE. EBX = VIRTUAL + 4. */
static void paged(const struct l2_row *r)
{
	mode_protected();
	if (r->set)
		mode_pae();
	else
		mode_paging32();
	svm_vmcb.save.cr0 |= CR0_PG | CR0_WP;
	svm_regs.rbx = VIRTUAL + 4;
}

static u64 paged_entry(const struct l2_row *r)
{
	return r->set ? *pte_pae() : *pte32();
}

static void paged_works(const struct l2_row *r)
{
	paged(r);
	*(u32 *)(SVM_PAGE_A + 4) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("stored", *(u32 *)(SVM_PAGE_A + 4), MARK);
	l2_expect("bits", paged_entry(r) & (PTE_ACCESSED | PTE_DIRTY),
		  PTE_ACCESSED | PTE_DIRTY);
}

static void paged_fault(const struct l2_row *r)
{
	paged(r);
	if (r->set)
		*pte_pae() &= ~r->clear;
	else
		*pte32() &= (u32)~r->clear;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_PF));
	l2_expect("error code", svm_vmcb.control.exit_info_1, r->want);
	l2_expect("address", svm_vmcb.control.exit_info_2, VIRTUAL + 4);
}

/* The page of L2's table at .arg is absent in the nested one: fault at .want.
 */
static void paged_walk(const struct l2_row *r)
{
	paged(r);
	*svm_npte(r->arg) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("info 1", svm_vmcb.control.exit_info_1,
		  VMCB_NPF_TABLE | VMCB_NPF_USER | VMCB_NPF_WRITE);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, r->want);
}

static void paged_npf(const struct l2_row *r)
{
	paged(r);
	*svm_npte(SVM_PAGE_A) &= ~(u64)PTE_WRITE;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("info 1", svm_vmcb.control.exit_info_1,
		  VMCB_NPF_FINAL | VMCB_NPF_USER | VMCB_NPF_WRITE |
			  VMCB_NPF_PRESENT);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, SVM_PAGE_A + 4);
}

static void large_reserved(const struct l2_row *r)
{
	paged(r);
	((u32 *)TRIP_PD32)[INDEX_32] =
		VIRTUAL >> 22 << 22 | PTE_LARGE | PTE_TABLE | RESERVED_32 << 8;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_PF));
	l2_expect("error code", svm_vmcb.control.exit_info_1, r->want);
}

/* A PDPE that is wrong, 15.25.10: nothing happens until it is used. */
static void pae_bad_pdpe(const struct l2_row *r)
{
	paged(r);
	((u64 *)TRIP_PDPT)[r->arg] = PAE_PD | PTE_PRESENT | 1ull << 62;
	svm_regs.rsi = TRIP_PDPT;
	*(u32 *)(SVM_PAGE_A + 4) = MARK;
	l2_expect_exit(r->code, r->want);
	if (r->want == VMCB_EXIT_VMMCALL)
		l2_expect("read", svm_regs.rcx, MARK);
}

/* There are no accessed bits in PDPEs: a CPU that marked them would make the
 * next VMRUN illegal where it loads them (5.2.3, 15.5.1). .arg: np_control */
static void pae_again(const struct l2_row *r)
{
	paged(r);
	svm_vmcb.control.np_control = r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("PDPE", ((u64 *)TRIP_PDPT)[VIRTUAL >> 30],
		  PAE_PD | PTE_PRESENT);
	*(u32 *)(SVM_PAGE_A + 4) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("stored again", *(u32 *)(SVM_PAGE_A + 4), MARK);
}

#define PAGED(name, pae, at_root, at_table, root, table)                      \
	L2_ROW(name "-works", paged_works, store32, .set = (pae)),            \
		L2_ROW(name "-absent", paged_fault, store32, .set = (pae),    \
		       .clear = PTE_PRESENT, .want = 2),                      \
		L2_ROW(name "-readonly", paged_fault, store32, .set = (pae),  \
		       .clear = PTE_WRITE, .want = 3),                        \
		L2_ROW(name "-npf", paged_npf, store32, .set = (pae)),        \
		L2_ROW(name "-walk-root", paged_walk, store32, .set = (pae),  \
		       .arg = (root), .want = (at_root)),                     \
		L2_ROW(name "-walk-table", paged_walk, store32, .set = (pae), \
		       .arg = (table), .want = (at_table))

static const struct l2_row paged_rows[] = {
	PAGED("paging32", 0, TRIP_PD32, PT32 + PT_INDEX * 4, TRIP_PD32, PT32),
	PAGED("pae", 1, TRIP_PDPT, PAE_PT + (VIRTUAL >> 12 & 511) * 8,
	      TRIP_PDPT, PAE_PT),
	L2_ROW("pae-walk-directory", paged_walk, store32, .set = 1,
	       .arg = PAE_PD, .want = PAE_PD + (VIRTUAL >> 21 & 511) * 8),
	L2_ROW("paging32-reserved", large_reserved, store32, .want = 0xb),
	L2_ROW("pae-pdpe-unused", pae_bad_pdpe, cr3_then_load, .set = 1,
	       .arg = 3, .want = VMCB_EXIT_VMMCALL),
	L2_ROW("pae-pdpe-used", pae_bad_pdpe, cr3_then_load, .set = 1, .arg = 2,
	       .want = EXIT_OF(VECTOR_PF)),
	L2_ROW("pae-again", pae_again, store32, .set = 1,
	       .arg = VMCB_NP_ENABLE),
	L2_ROW("pae-again-without-np", pae_again, store32, .set = 1),
};

const struct l2_table mode_paged_rows = L2_TABLE(paged_rows);
