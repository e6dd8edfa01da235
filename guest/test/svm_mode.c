/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L2 in the other modes of the CPU under nested paging (AMD APM vol. 2, 15.5.1,
 * 15.14.3, 15.25): real, virtual-8086, protected without paging, 32-bit and PAE
 * paging, compatibility mode, and the way through all of them; L2's own writes
 * to CR0, CR3, CR4 and EFER; memory in bulk.
 */
#include "guest/lib/idt.h"
#include "guest/test/svm_guest.h"
#include "guest/test/svm_l2.h"
#include "guest/test/svm_trip.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define VECTOR_INT  0x41
#define TAKEN	    0x7a
#define EXIT_OF(v)  (VMCB_EXIT_EXCEPTION + (v))
#define CODE16	    0x9b /* attributes of segments */
#define CODE32	    0xc9b
#define CODE_V86    0xf3
#define DATA16	    0x93
#define DATA32	    0xc93
#define DATA_V86    0xf3
#define RFLAGS_VM   0x20000ull
#define RFLAGS_AC   0x40000ull
#define EBX_SMEP    (1u << 7)
#define EBX_SMAP    (1u << 20)
#define GATE32	    0x8e00u
#define SEL_REAL    0x700 /* real mode's segment of TRIP_CODE */
#define REAL_STACK  0x6ff0
#define RESERVED_32 (1ull << 13) /* of a 4 MiB page */
#define BULK	    (40ull << 20)
#define BULK_SIZE   (16ull << 20)
#define MARK	    0x5511u

int main(const char *cmdline);

extern const u8 svm_trip[], svm_trip_end[];

/* Code of 16 and 32 bits; EBX is an address. */
#define CODE_OF(bits, name, text) \
	SVM_CODE(name, ".code" bits "\n\t" text "\n\tvmmcall\n\t.code64")

CODE_OF("16", real_alu, "mov $0x12345678, %ecx; rol $8, %ecx")
CODE_OF("16", real_store, "movw $0x5511, (%bx)")
CODE_OF("16", real_int, "int $0x41")
CODE_OF("16", real_ud2, "ud2")
CODE_OF("16", real_nop, "nop")
CODE_OF("16", real_limit, "mov $0xffff, %bx; movw $1, (%bx)")
CODE_OF("32", store32, "movl $0x5511, (%ebx)")
CODE_OF("32", load32, "movl (%ebx), %ecx")
CODE_OF("32", int32, "int $0x41")
CODE_OF("32", ud32, "ud2")
CODE_OF("32", taken32, "mov $0x7a, %edi")
CODE_OF("32", cr3_then_load, "mov %esi, %cr3; mov (%ebx), %ecx")
SVM_CODE(do_read, "mov (%rbx), %rcx")
SVM_CODE(do_fetch, "jmp *%rbx")
SVM_CODE(do_cr0, "mov %cr0, %rcx; xor $0x10000, %rcx; mov %rcx, %cr0")
SVM_CODE(do_cr3, "mov %cr3, %rcx; mov %rsi, %cr3; mov %cr3, %rdx")
SVM_CODE(do_cr4, "mov %cr4, %rcx; xor $0x80, %rcx; mov %rcx, %cr4")
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

static void set_segments(u16 code, u16 data)
{
	struct vmcb_save *s = &svm_vmcb.save;
	const struct vmcb_segment d = {0, data, ~0u, 0};

	s->cs = (struct vmcb_segment){0, code, ~0u, 0};
	s->ds = d;
	s->es = d;
	s->ss = d;
}

static void no_paging(u64 cr0)
{
	svm_vmcb.save.cr0 = cr0 | CR0_ET;
	svm_vmcb.save.cr4 = 0;
	svm_vmcb.save.efer = EFER_SVME;
}

/* Real mode *****************************************************************/

/* With @code at offset 0 of its segment, data and stack in the first 64 KiB,
 * and the interrupt table in page A. */
static void real_mode(svm_code *code)
{
	struct vmcb_save *s = &svm_vmcb.save;
	u32 *vectors = (u32 *)SVM_PAGE_A;

	no_paging(0);
	set_segments(CODE16, DATA16);
	s->cs = (struct vmcb_segment){0xf000, CODE16, 0xffff, (u64)code};
	s->ds.limit = 0xffff;
	s->ss.limit = 0xffff;
	s->rsp = REAL_STACK;
	s->idtr.base = SVM_PAGE_A;
	s->idtr.limit = 4 * VECTORS - 1;
	for (unsigned v = 0; v < VECTORS; v++)
		vectors[v] = 0;
	vectors[VECTOR_INT] = SEL_REAL << 16;
	vectors[VECTOR_UD] = SEL_REAL << 16;
	memcpy((void *)TRIP_CODE, (void *)svm_handler, 8);
}

/* L2 from offset 0 of its code segment. */
static u64 run_at_0(void)
{
	int trap;

	svm_vmcb.save.rip = 0;
	trap = svm_run_raw();
	svm_stgi();
	return trap == NO_TRAP ? svm_vmcb.control.exit_code
			       : L2_TRAPPED | (u32)trap;
}

/* The CPL in the VMCB does not count. */
static void real_runs(const struct l2_row *r)
{
	real_mode(r->code);
	svm_vmcb.save.cpl = (u8)r->arg;
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("ecx", svm_regs.rcx, 0x34567812);
	l2_expect("cpl", svm_vmcb.save.cpl, 0);
}

/* Linear is physical: page A or a page that L1 puts there instead. */
static void real_stores(const struct l2_row *r)
{
	real_mode(r->code);
	svm_vmcb.save.ds.base = SVM_PAGE_A;
	svm_regs.rbx = 0x10;
	*svm_npte(SVM_PAGE_A) += r->arg;
	*(u16 *)(SVM_PAGE_A + r->arg + 0x10) = 0;
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("stored", *(u16 *)(SVM_PAGE_A + r->arg + 0x10), MARK);
}

static void real_npf(const struct l2_row *r)
{
	real_mode(r->code);
	svm_vmcb.save.ds.base = SVM_PAGE_A;
	svm_regs.rbx = 0x10;
	*svm_npte(SVM_PAGE_A) = 0;
	l2_expect("exit", run_at_0(), VMCB_EXIT_NPF);
	l2_expect("info 1", svm_vmcb.control.exit_info_1,
		  VMCB_NPF_FINAL | VMCB_NPF_USER | VMCB_NPF_WRITE);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, SVM_PAGE_A + 0x10);
}

/* By INT, an exception or EVENTINJ .arg: through the interrupt table, a frame
 * of three words, of which the return address is .want. */
static void real_interrupt(const struct l2_row *r)
{
	real_mode(r->code);
	vmcb_pass(&svm_vmcb, EXIT_OF(VECTOR_UD));
	svm_vmcb.control.event_inj = r->arg;
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("cs", svm_vmcb.save.cs.selector, SEL_REAL);
	l2_expect("base", svm_vmcb.save.cs.base, TRIP_CODE);
	l2_expect("rip", svm_vmcb.save.rip, 0);
	l2_expect("sp", svm_vmcb.save.rsp, REAL_STACK - 6);
	l2_expect("return ip", *(u16 *)(REAL_STACK - 6), r->want);
	l2_expect("return cs", *(u16 *)(REAL_STACK - 4), 0xf000);
}

static void real_virtual(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = VMCB_V_IRQ | 15u << VMCB_V_PRIO_SHIFT;
	svm_vmcb.control.int_vector = VECTOR_INT;
	svm_vmcb.save.rflags |= RFLAGS_IF;
	real_interrupt(r);
	l2_expect("V_IRQ", svm_vmcb.control.int_ctl & VMCB_V_IRQ, 0);
}

static void real_exception(const struct l2_row *r)
{
	real_mode(r->code);
	l2_expect("exit", run_at_0(), r->want);
	l2_expect("rip", svm_vmcb.save.rip, r->arg);
}

static void real_shutdown(const struct l2_row *r)
{
	real_mode(r->code);
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 0;
	svm_vmcb.save.idtr.limit = 0;
	l2_expect("exit", run_at_0(), VMCB_EXIT_SHUTDOWN);
}

static void virtual_8086(const struct l2_row *r)
{
	struct vmcb_save *s = &svm_vmcb.save;

	real_mode(r->code);
	no_paging(CR0_PE);
	set_segments(CODE_V86, DATA_V86);
	s->cs.base = TRIP_CODE;
	s->cs.selector = SEL_REAL;
	s->cs.limit = 0xffff;
	s->cpl = 3;
	s->rflags |= RFLAGS_VM;
	memcpy((void *)TRIP_CODE, (void *)r->code, 32);
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("ecx", svm_regs.rcx, 0x34567812);
	l2_expect("cpl", s->cpl, 3);
}

static const struct l2_row real_rows[] = {
	L2_ROW("real-runs", real_runs, real_alu),
	L2_ROW("real-cpl-3", real_runs, real_alu, .arg = 3),
	L2_ROW("real-stores", real_stores, real_store),
	L2_ROW("real-stores-remapped", real_stores, real_store,
	       .arg = PAGE_SIZE),
	L2_ROW("real-npf", real_npf, real_store),
	L2_ROW("real-int", real_interrupt, real_int, .want = 2),
	L2_ROW("real-ud", real_interrupt, real_ud2),
	L2_ROW("real-inject-intr", real_interrupt, real_nop,
	       .arg = VMCB_EVENT_VALID | VMCB_EVENT_INTR | VECTOR_INT),
	L2_ROW("real-inject-ud", real_interrupt, real_nop,
	       .arg = VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION | VECTOR_UD),
	L2_ROW("real-virq", real_virtual, real_nop),
	L2_ROW("real-ud-exits", real_exception, real_ud2,
	       .want = EXIT_OF(VECTOR_UD)),
	L2_ROW("real-limit", real_exception, real_limit, .arg = 3,
	       .want = EXIT_OF(VECTOR_GP)),
	L2_ROW("real-shutdown", real_shutdown, real_int),
	L2_ROW("v86-runs", virtual_8086, real_alu),
};

/* Protected mode ************************************************************/

static void set_gate32(unsigned vector, svm_code *handler)
{
	u32 *g = (u32 *)(SVM_IDT + vector * 8), at = (u32)(u64)handler;

	g[0] = SEL_CODE32 << 16 | (at & 0xffff);
	g[1] = (at & 0xffff0000) | GATE32;
}

static void protected_mode(void)
{
	struct vmcb_save *s = &svm_vmcb.save;

	no_paging(CR0_PE);
	set_segments(CODE32, DATA32);
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
	protected_mode();
	svm_regs.rbx = SVM_PAGE_A;
	*svm_npte(SVM_PAGE_A) += r->arg;
	*(u32 *)(SVM_PAGE_A + r->arg) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("stored", *(u32 *)(SVM_PAGE_A + r->arg), MARK);
}

static void protected_npf(const struct l2_row *r)
{
	protected_mode();
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
	protected_mode();
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
	protected_mode();
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

static void paging_32(void)
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

static void paging_pae(void)
{
	u64 *pdpt = (u64 *)TRIP_PDPT, *pd = (u64 *)PAE_PD;
	u64 *low = (u64 *)(PAE_PT + PAGE_SIZE);

	memset(pd, 0, 2 * PAGE_SIZE);
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
	protected_mode();
	if (r->set)
		paging_pae();
	else
		paging_32();
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

#define PAGED(name, pae, at_root, at_table, root, table)                    \
	L2_ROW(name "-works", paged_works, store32, .set = pae),            \
		L2_ROW(name "-absent", paged_fault, store32, .set = pae,    \
		       .clear = PTE_PRESENT, .want = 2),                    \
		L2_ROW(name "-readonly", paged_fault, store32, .set = pae,  \
		       .clear = PTE_WRITE, .want = 3),                      \
		L2_ROW(name "-npf", paged_npf, store32, .set = pae),        \
		L2_ROW(name "-walk-root", paged_walk, store32, .set = pae,  \
		       .arg = root, .want = at_root),                       \
		L2_ROW(name "-walk-table", paged_walk, store32, .set = pae, \
		       .arg = table, .want = at_table)

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
};

/* Through all modes *********************************************************/

static const struct {
	u64 cr0, cr4, efer;
	u16 code;
} stages[TRIP_STAGES] = {
	{0, 0, 0, 0},
	{CR0_PE, 0, 0, VMCB_SEGMENT_BIG},
	{CR0_PE | CR0_PG, CR4_PSE, 0, VMCB_SEGMENT_BIG},
	{CR0_PE | CR0_PG, CR4_PAE, 0, VMCB_SEGMENT_BIG},
	{CR0_PE | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA, VMCB_SEGMENT_LONG},
	{CR0_PE | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA, VMCB_SEGMENT_BIG},
	{CR0_PE, 0, 0, VMCB_SEGMENT_BIG},
	{0, 0, 0, 0},
};

static void prepare_trip(void)
{
	u64 cr3 = svm_vmcb.save.cr3;

	protected_mode();
	paging_32();
	paging_pae();
	memcpy((void *)TRIP_PML4, (void *)cr3, PAGE_SIZE);
	memset((void *)TRIP_DATA, 0, TRIP_STAGES);
	memset((void *)TRIP_LOW, 0, TRIP_STAGES);
	memcpy((void *)TRIP_CODE, svm_trip, (size_t)(svm_trip_end - svm_trip));
	real_mode(svm_handler);
	memcpy((void *)TRIP_CODE, svm_trip, (size_t)(svm_trip_end - svm_trip));
	svm_vmcb.save.cs.base = 0;
	svm_vmcb.save.cs.selector = 0;
}

static void expect_bytes(void)
{
	for (unsigned i = 0; i < TRIP_STAGES; i++)
		l2_expect("byte", ((u8 *)TRIP_DATA)[i] | ((u8 *)TRIP_LOW)[i],
			  i + 1);
}

static void trip(const struct l2_row *r)
{
	for (u64 turn = 0; turn < r->arg; turn++) {
		svm_reset();
		prepare_trip();
		l2_expect("exit", l2_run((svm_code *)TRIP_CODE),
			  VMCB_EXIT_VMMCALL);
		expect_bytes();
	}
}

/* What L1 sees of L2 at the CPUID of stage .arg. */
static void trip_stage(const struct l2_row *r)
{
	const struct vmcb_save *s = &svm_vmcb.save;
	u64 at = TRIP_CODE;

	prepare_trip();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	for (u64 i = 0; i <= r->arg; i++) {
		if (!l2_expect("exit", l2_run((svm_code *)at), VMCB_EXIT_CPUID))
			return;
		at = s->rip + 2;
	}
	l2_expect("stage", svm_regs.rsi, r->arg + 1);
	l2_expect("cr0", s->cr0 & (CR0_PE | CR0_PG), stages[r->arg].cr0);
	l2_expect("cr4", s->cr4, stages[r->arg].cr4);
	l2_expect("efer", s->efer, stages[r->arg].efer | EFER_SVME);
	l2_expect("cs",
		  s->cs.attributes & (VMCB_SEGMENT_BIG | VMCB_SEGMENT_LONG),
		  stages[r->arg].code);
}

/* Each stage an exit, with nothing lost on the way. */
static void trip_with_exits(const struct l2_row *r)
{
	u64 at = TRIP_CODE;
	unsigned exits = 0;

	(void)r;
	prepare_trip();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	while (l2_run((svm_code *)at) == VMCB_EXIT_CPUID &&
	       exits <= TRIP_STAGES) {
		at = svm_vmcb.save.rip + 2;
		exits++;
	}
	l2_expect("exits", exits, TRIP_STAGES);
	l2_expect("exit", svm_vmcb.control.exit_code, VMCB_EXIT_VMMCALL);
	expect_bytes();
}

#define STAGE(name, n) L2_ROW("trip-" name, trip_stage, NULL, .arg = (n)-1)

static const struct l2_row trips[] = {
	L2_ROW("trip", trip, NULL, .arg = 1),
	L2_ROW("trip-often", trip, NULL, .arg = 20),
	L2_ROW("trip-with-exits", trip_with_exits, NULL),
	STAGE("real", 1),
	STAGE("protected", 2),
	STAGE("paging32", 3),
	STAGE("pae", 4),
	STAGE("long", 5),
	STAGE("compatibility", 6),
	STAGE("protected-again", 7),
	STAGE("real-again", 8),
};

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
	u64(*t)[PTES_PER_TABLE] = (void *)PT32;

	target_reset();
	memset(t, 0, 3 * PAGE_SIZE);
	memcpy(t[0], (void *)svm_vmcb.save.cr3, PAGE_SIZE);
	t[0][TARGET_INDEX(LEVEL_PML4)] = (u64)t[1] | PTE_TABLE;
	t[1][TARGET_INDEX(LEVEL_PDPT)] = (u64)t[2] | PTE_TABLE;
	t[2][TARGET_INDEX(LEVEL_PD)] =
		TARGET_DATA(CHAIN_B) | PTE_LARGE | PTE_TABLE;
	svm_regs.rbx = TARGET;
	svm_regs.rsi = (u64)t;
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

static const struct l2_row registers[] = {
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

static const struct l2_table tables[] = {
	L2_TABLE(real_rows), L2_TABLE(protected_rows), L2_TABLE(paged_rows),
	L2_TABLE(trips),     L2_TABLE(registers),      L2_TABLE(memory),
};

int main(const char *cmdline)
{
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
