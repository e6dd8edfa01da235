/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cached translations (AMD APM vol. 2, 15.16 and 15.25.1): what L1 changes in
 * nested tables is in force after a flush, whichever kind; ASIDs apart and
 * shared; pages of nested tables with a new use; L2 without nested paging;
 * INVLPGA.
 */
#include "guest/lib/idt.h"
#include "guest/test/svm_guest.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define NEW_ASID     0x100 /* instead of a TLB_CONTROL: another ASID */
#define OTHER_ASID   2
#define TURNS	     20
#define MARK	     0x5511ull
#define WORD_SCRATCH 0xcccc0003ull
#define EXIT_PF	     (VMCB_EXIT_EXCEPTION + VECTOR_PF)
#define TABLE_SPARE  (SVM_SCRATCH + 0x20000)

int main(const char *cmdline);

/* RBX = TARGET */
SVM_CODE(do_read, "mov (%rbx), %rcx")
SVM_CODE(do_write, "movq $0x5511, (%rbx)")
SVM_CODE(do_fetch, "jmp *%rbx")
SVM_CODE(do_invlpga, "mov %rbx, %rax; mov $1, %ecx; invlpga; nop")
/* Reads, gives itself the page tables in RSI and reads again. */
SVM_CODE(do_new_cr3, "mov (%rbx), %rdx; mov %rsi, %cr3; mov (%rbx), %rcx")
/* Reads, writes RDX into the entry at RSI, flushes and reads again. */
SVM_CODE(do_invlpg,
	 "mov (%rbx), %rdi; mov %rdx, (%rsi); invlpg (%rbx); mov (%rbx), %rcx")

static void expect_read(u64 want)
{
	svm_regs.rbx = TARGET;
	svm_regs.rcx = 0;
	l2_expect_exit(do_read, VMCB_EXIT_VMMCALL);
	l2_expect("read", svm_regs.rcx, want);
}

/* From here on without a flush. */
static void keep(void)
{
	svm_vmcb.control.tlb_control = VMCB_TLB_KEEP;
}

static void flush(u64 how)
{
	if (how == NEW_ASID)
		svm_vmcb.control.asid = OTHER_ASID;
	else
		svm_vmcb.control.tlb_control = (u8)how;
}

/* Changes by L1 *************************************************************/

/* Chain A's entry at level .arg becomes chain B's. Flush .set. */
static void remapped(const struct l2_row *r)
{
	unsigned level = (unsigned)r->arg;

	target_reset();
	expect_read(WORD_A);
	keep();
	expect_read(WORD_A);
	*target_entry(CHAIN_A, level) = *target_entry(CHAIN_B, level);
	flush(r->set);
	expect_read(WORD_B);
	keep();
	expect_read(WORD_B);
}

/* Instead of a flush L1's INVLPGA of the page, in L2's ASID. */
static void remapped_invlpga(const struct l2_row *r)
{
	target_reset();
	expect_read(WORD_A);
	keep();
	expect_read(WORD_A);
	*target_entry(CHAIN_A, (unsigned)r->arg) =
		*target_entry(CHAIN_B, (unsigned)r->arg);
	__asm__ volatile("invlpga"
			 :
			 : "a"(TARGET), "c"(svm_vmcb.control.asid)
			 : "memory");
	expect_read(WORD_B);
}

/* Loses right .clear, gets bit .want; .code then faults, not before. */
static void restricted(const struct l2_row *r)
{
	u64 *entry;

	target_reset();
	TARGET_WORD(CHAIN_A) = 0xd9010f; /* VMMCALL, if it is fetched */
	entry = target_entry(CHAIN_A, (unsigned)r->arg);
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	*entry = (*entry & ~r->clear) | r->want;
	flush(r->set);
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, TARGET);
	l2_expect("final", svm_vmcb.control.exit_info_1 & VMCB_NPF_FINAL,
		  VMCB_NPF_FINAL);
}

/* Absent, touched, made present: nothing to flush. */
static void appeared(const struct l2_row *r)
{
	unsigned level = (unsigned)r->arg;

	target_reset();
	*target_entry(CHAIN_A, level) = 0;
	svm_regs.rbx = TARGET;
	l2_expect_exit(do_read, VMCB_EXIT_NPF);
	keep();
	*target_entry(CHAIN_A, level) = *target_entry(CHAIN_B, level);
	expect_read(WORD_B);
}

/* Small pages become a large one and back. */
static void resized(const struct l2_row *r)
{
	u64 *entry, small;

	target_reset();
	entry = target_entry(CHAIN_A, LEVEL_PD);
	small = *entry;
	expect_read(WORD_A);
	*entry = TARGET_DATA(CHAIN_B) | NPTE_ALL | PTE_LARGE;
	flush(r->set);
	expect_read(WORD_B);
	*entry = small;
	expect_read(WORD_A);
}

#define REMAPPED(name, level, how, ...)                                     \
	L2_ROW("remapped-" name "-" #level, remapped, NULL, .arg = (level), \
	       .set = (how), __VA_ARGS__)
#define REMAPPED_BY(name, how, ...)                  \
	REMAPPED(name, 1, how, __VA_ARGS__),         \
		REMAPPED(name, 2, how, __VA_ARGS__), \
		REMAPPED(name, 3, how, __VA_ARGS__), \
		REMAPPED(name, 4, how, __VA_ARGS__)
#define RESTRICTED(name, level, code_, ...)                      \
	L2_ROW("restricted-" name "-" #level, restricted, code_, \
	       .arg = (level), .set = VMCB_TLB_FLUSH_ALL, __VA_ARGS__)
#define RESTRICTED_AT(n)                                                 \
	RESTRICTED("absent", n, do_read, .clear = PTE_PRESENT),          \
		RESTRICTED("readonly", n, do_write, .clear = PTE_WRITE), \
		RESTRICTED("supervisor", n, do_read, .clear = PTE_USER), \
		RESTRICTED("nx", n, do_fetch, .want = NPTE_NX)

static const struct l2_row changes[] = {
	REMAPPED_BY("flush-all", VMCB_TLB_FLUSH_ALL),
	REMAPPED_BY("flush-asid", VMCB_TLB_FLUSH_ASID, .needs = SVM_FLUSH_ASID),
	REMAPPED_BY("flush-local", VMCB_TLB_FLUSH_LOCAL,
		    .needs = SVM_FLUSH_ASID),
	REMAPPED_BY("new-asid", NEW_ASID),
	L2_ROW("remapped-invlpga-1", remapped_invlpga, NULL, .arg = LEVEL_PT),
	RESTRICTED_AT(1),
	RESTRICTED_AT(2),
	RESTRICTED_AT(3),
	RESTRICTED_AT(4),
	L2_ROW("appeared-1", appeared, NULL, .arg = LEVEL_PT),
	L2_ROW("appeared-2", appeared, NULL, .arg = LEVEL_PD),
	L2_ROW("appeared-3", appeared, NULL, .arg = LEVEL_PDPT),
	L2_ROW("appeared-4", appeared, NULL, .arg = LEVEL_PML4),
	L2_ROW("resized", resized, NULL, .set = VMCB_TLB_FLUSH_ALL),
};

/* ASIDs and roots ***********************************************************/

/* Which of two L2s: an ASID and a nested table each. */
static void choose(unsigned chain)
{
	svm_vmcb.control.asid = 1 + chain;
	svm_vmcb.control.ncr3 =
		chain == CHAIN_A ? target_root(CHAIN_A) : target_root(CHAIN_B);
}

/* Two L2s in turn, without a flush: each sees its own memory. */
static void alternate(const struct l2_row *r)
{
	u64 roots[CHAINS];

	(void)r;
	target_reset();
	roots[CHAIN_A] = target_root(CHAIN_A);
	roots[CHAIN_B] = target_root(CHAIN_B);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		svm_vmcb.control.asid = 1 + turn % 2;
		svm_vmcb.control.ncr3 = roots[turn % 2];
		expect_read(turn % 2 ? WORD_B : WORD_A);
		keep();
	}
}

/* One L2's flush is not the loss of the other's memory. */
static void flush_one(const struct l2_row *r)
{
	u64 root;

	target_reset();
	root = target_root(CHAIN_A);
	expect_read(WORD_A);
	choose(CHAIN_B);
	expect_read(WORD_B);
	svm_vmcb.control.ncr3 = root;
	svm_vmcb.control.asid = 1;
	*target_entry(CHAIN_A, LEVEL_PT) = *target_entry(CHAIN_B, LEVEL_PT);
	flush(r->set);
	expect_read(WORD_B);
	svm_vmcb.control.ncr3 = target_root(CHAIN_B);
	svm_vmcb.control.asid = OTHER_ASID;
	keep();
	expect_read(WORD_B);
}

/* A flush of all ASIDs is one of those that run later. */
static void flush_others(const struct l2_row *r)
{
	(void)r;
	target_reset();
	choose(CHAIN_A);
	expect_read(WORD_A);
	*target_entry(CHAIN_A, LEVEL_PT) = *target_entry(CHAIN_B, LEVEL_PT);
	choose(CHAIN_B);
	flush(VMCB_TLB_FLUSH_ALL);
	expect_read(WORD_B);
	choose(CHAIN_A);
	keep();
	expect_read(WORD_B);
}

/* Another root for the same ASID, with a flush. */
static void new_root(const struct l2_row *r)
{
	u64 roots[CHAINS];

	target_reset();
	roots[CHAIN_A] = target_root(CHAIN_A);
	roots[CHAIN_B] = target_root(CHAIN_B);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		svm_vmcb.control.ncr3 = roots[turn % 2];
		flush(r->set);
		expect_read(turn % 2 ? WORD_B : WORD_A);
	}
}

/* Two ASIDs on one nested table. */
static void shared_root(const struct l2_row *r)
{
	(void)r;
	target_reset();
	expect_read(WORD_A);
	keep();
	svm_vmcb.control.asid = OTHER_ASID;
	svm_regs.rbx = TARGET;
	l2_expect_exit(do_write, VMCB_EXIT_VMMCALL);
	svm_vmcb.control.asid = 1;
	expect_read(MARK);
	*target_entry(CHAIN_A, LEVEL_PT) = *target_entry(CHAIN_B, LEVEL_PT);
	svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	expect_read(WORD_B);
	keep();
	svm_vmcb.control.asid = OTHER_ASID;
	expect_read(WORD_B);
}

/* An ASID with a new root and no flush, since everything was flushed when
 * another ASID ran: so hypervisors recycle them. */
static void asid_again(const struct l2_row *r)
{
	(void)r;
	target_reset();
	expect_read(WORD_A);
	svm_vmcb.control.asid = OTHER_ASID;
	svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	expect_read(WORD_A);
	keep();
	svm_vmcb.control.asid = 1;
	svm_vmcb.control.ncr3 = target_root(CHAIN_B);
	expect_read(WORD_B);
}

static const struct l2_row asids[] = {
	L2_ROW("asid-alternate", alternate, NULL),
	L2_ROW("asid-flush-one", flush_one, NULL, .set = VMCB_TLB_FLUSH_ALL),
	L2_ROW("asid-flush-one-by-asid", flush_one, NULL,
	       .set = VMCB_TLB_FLUSH_ASID, .needs = SVM_FLUSH_ASID),
	L2_ROW("asid-flush-others", flush_others, NULL),
	L2_ROW("asid-new-root", new_root, NULL, .set = VMCB_TLB_FLUSH_ALL),
	L2_ROW("asid-new-root-by-asid", new_root, NULL,
	       .set = VMCB_TLB_FLUSH_ASID, .needs = SVM_FLUSH_ASID),
	L2_ROW("asid-shared-root", shared_root, NULL),
	L2_ROW("asid-again", asid_again, NULL),
};

/* Tables with a new use *****************************************************/

/* Chain A's last table becomes L2's data: what L2 writes is data, no entry. */
static void table_to_data(const struct l2_row *r)
{
	u64 *table, *pte = svm_npte(SVM_PAGE_A);

	(void)r;
	target_reset();
	expect_read(WORD_A);
	table = target_entry(CHAIN_A, LEVEL_PT) - TARGET_INDEX(LEVEL_PT);
	*target_entry(CHAIN_A, LEVEL_PD) = *target_entry(CHAIN_B, LEVEL_PD);
	*pte = (u64)table | NPTE_ALL;
	svm_regs.rbx = SVM_PAGE_A + TARGET_INDEX(LEVEL_PT) * 8;
	svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	l2_expect_exit(do_write, VMCB_EXIT_VMMCALL);
	l2_expect("written", *target_entry(CHAIN_A, LEVEL_PT), MARK);
	keep();
	expect_read(WORD_B);
}

/* L2's data becomes a table of L1's. */
static void data_to_table(const struct l2_row *r)
{
	u64 *table = (u64 *)TABLE_SPARE;

	(void)r;
	target_reset();
	svm_regs.rbx = TABLE_SPARE + TARGET_INDEX(LEVEL_PT) * 8;
	l2_expect_exit(do_write, VMCB_EXIT_VMMCALL);
	l2_expect("written", table[TARGET_INDEX(LEVEL_PT)], MARK);
	*svm_npte(TABLE_SPARE) = 0;
	memset(table, 0, PAGE_SIZE);
	table[TARGET_INDEX(LEVEL_PT)] = *target_entry(CHAIN_B, LEVEL_PT);
	*target_entry(CHAIN_A, LEVEL_PD) = TABLE_SPARE | NPTE_ALL;
	expect_read(WORD_B);
	svm_regs.rbx = TABLE_SPARE;
	l2_expect_exit(do_read, VMCB_EXIT_NPF);
}

/* The table of level 1 becomes that of level 2. */
static void table_to_directory(const struct l2_row *r)
{
	u64 *table;

	(void)r;
	target_reset();
	expect_read(WORD_A);
	table = target_entry(CHAIN_A, LEVEL_PT) - TARGET_INDEX(LEVEL_PT);
	memset(table, 0, PAGE_SIZE);
	table[TARGET_INDEX(LEVEL_PD)] = *target_entry(CHAIN_B, LEVEL_PD);
	*target_entry(CHAIN_A, LEVEL_PDPT) = (u64)table | NPTE_ALL;
	expect_read(WORD_B);
	keep();
	expect_read(WORD_B);
}

/* And the directory a table; both at once in the end: the table of level 3 is
 * also that of level 2 of the next GiB, where the directory is a table and the
 * table is data. */
static void recursive(const struct l2_row *r)
{
	u64 *pdpt, *directory = (u64 *)TABLE_SPARE;
	u64 gpa = 1ull << 39 | 2ull << 30 | TARGET_INDEX(LEVEL_PDPT) << 21 |
		  TARGET_INDEX(LEVEL_PD) << 12 | TARGET_INDEX(LEVEL_PT) * 8;

	(void)r;
	target_reset();
	expect_read(WORD_A);
	keep();
	pdpt = target_entry(CHAIN_A, LEVEL_PDPT) - TARGET_INDEX(LEVEL_PDPT);
	pdpt[2] = (u64)pdpt | NPTE_ALL;
	memset(directory, 0, PAGE_SIZE);
	directory[gpa >> 21 & 511] =
		(gpa & ~(LARGE_PAGE_SIZE - 1ull)) | PTE_LARGE | PTE_TABLE;
	target_guest_entry(LEVEL_PDPT)[1] = TABLE_SPARE | PTE_TABLE;
	svm_regs.rbx = gpa;
	l2_expect_exit(do_read, VMCB_EXIT_VMMCALL);
	l2_expect("entry", svm_regs.rcx & ~(u64)(PTE_ACCESSED | PTE_DIRTY),
		  *target_entry(CHAIN_A, LEVEL_PT) &
			  ~(u64)(PTE_ACCESSED | PTE_DIRTY));
	expect_read(WORD_A);
}

/* Two addresses of L2 are one page of L1. */
static void aliased(const struct l2_row *r)
{
	(void)r;
	target_reset();
	*svm_npte(SVM_PAGE_A) =
		(*target_entry(CHAIN_A, LEVEL_PT) & ~0xfffull) | NPTE_ALL;
	svm_regs.rbx = SVM_PAGE_A + TARGET_OFFSET;
	l2_expect_exit(do_write, VMCB_EXIT_VMMCALL);
	expect_read(MARK);
}

static const struct l2_row recycled[] = {
	L2_ROW("table-to-data", table_to_data, NULL),
	L2_ROW("table-from-data", data_to_table, NULL),
	L2_ROW("table-to-directory", table_to_directory, NULL),
	L2_ROW("table-recursive", recursive, NULL),
	L2_ROW("table-aliased", aliased, NULL),
};

/* Without nested paging *****************************************************/

/* L2's tables are in L1's physical memory: TARGET leads to page A there. */
static void no_nested_paging(void)
{
	target_reset();
	svm_vmcb.control.np_control = 0;
	*(u64 *)(SVM_PAGE_A | TARGET_OFFSET) = WORD_SCRATCH;
	*(u64 *)(SVM_PAGE_B | TARGET_OFFSET) = WORD_B;
	memset((void *)TABLE_SPARE, 0, PAGE_SIZE);
	*target_guest_entry(LEVEL_PD) = TABLE_SPARE | PTE_TABLE;
	((u64 *)TABLE_SPARE)[TARGET_INDEX(LEVEL_PT)] = SVM_PAGE_A | PTE_TABLE;
}

static u64 *l2_pte(void)
{
	return &((u64 *)TABLE_SPARE)[TARGET_INDEX(LEVEL_PT)];
}

static void no_np_works(const struct l2_row *r)
{
	(void)r;
	no_nested_paging();
	expect_read(WORD_SCRATCH);
	svm_regs.rbx = TARGET;
	l2_expect_exit(do_write, VMCB_EXIT_VMMCALL);
	l2_expect("written", *(u64 *)(SVM_PAGE_A | TARGET_OFFSET), MARK);
	l2_expect("bits", *l2_pte() & (PTE_ACCESSED | PTE_DIRTY),
		  PTE_ACCESSED | PTE_DIRTY);
}

static void no_np_fault(const struct l2_row *r)
{
	no_nested_paging();
	*l2_pte() &= ~r->clear;
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, EXIT_PF);
	l2_expect("error code", svm_vmcb.control.exit_info_1, r->want);
	l2_expect("address", svm_vmcb.control.exit_info_2, TARGET);
}

/* L2 loads CR3 itself, which L1 does not intercept. */
static void no_np_cr3(const struct l2_row *r)
{
	no_nested_paging();
	svm_regs.rbx = TARGET;
	svm_regs.rsi = target_other_tables();
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("before", svm_regs.rdx, WORD_SCRATCH);
	l2_expect("after", svm_regs.rcx, WORD_B);
	l2_expect("cr3", svm_vmcb.save.cr3, svm_regs.rsi);
}

/* L2 changes its own tables and flushes the page. */
static void own_invlpg(const struct l2_row *r)
{
	svm_regs.rbx = TARGET;
	svm_regs.rsi = (u64)l2_pte();
	svm_regs.rdx = SVM_PAGE_B | PTE_TABLE;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("before", svm_regs.rdi, WORD_SCRATCH);
	l2_expect("after", svm_regs.rcx, WORD_B);
}

static void no_np_invlpg(const struct l2_row *r)
{
	no_nested_paging();
	own_invlpg(r);
}

static void np_invlpg(const struct l2_row *r)
{
	no_nested_paging();
	svm_vmcb.control.np_control = VMCB_NP_ENABLE;
	own_invlpg(r);
}

/* L1 changes L2's table: with INVLPGA for its ASID, or a flush. */
static void no_np_changed(const struct l2_row *r)
{
	no_nested_paging();
	expect_read(WORD_SCRATCH);
	keep();
	*l2_pte() = SVM_PAGE_B | PTE_TABLE;
	if (r->arg)
		__asm__ volatile("invlpga" : : "a"(TARGET), "c"(1) : "memory");
	else
		svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	expect_read(WORD_B);
}

static void invlpga_exits(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INVLPGA);
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, VMCB_EXIT_INVLPGA);
	l2_expect("rax", svm_vmcb.save.rax, TARGET);
	l2_expect("ecx", svm_regs.rcx, 1);
}

static void invlpga_runs(const struct l2_row *r)
{
	svm_regs.rbx = TARGET;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
}

static const struct l2_row unnested[] = {
	L2_ROW("no-np", no_np_works, NULL),
	L2_ROW("no-np-absent", no_np_fault, do_read, .clear = PTE_PRESENT),
	L2_ROW("no-np-absent-write", no_np_fault, do_write,
	       .clear = PTE_PRESENT, .want = 2),
	L2_ROW("no-np-readonly", no_np_fault, do_write, .clear = PTE_WRITE,
	       .want = 3),
	L2_ROW("no-np-cr3", no_np_cr3, do_new_cr3),
	L2_ROW("no-np-invlpg", no_np_invlpg, do_invlpg),
	L2_ROW("no-np-flush", no_np_changed, NULL),
	L2_ROW("no-np-invlpga", no_np_changed, NULL, .arg = 1),
	L2_ROW("np-invlpg", np_invlpg, do_invlpg),
	L2_ROW("invlpga-exits", invlpga_exits, do_invlpga),
	L2_ROW("invlpga-runs", invlpga_runs, do_invlpga),
};

static const struct l2_table tables[] = {
	L2_TABLE(changes),
	L2_TABLE(asids),
	L2_TABLE(recycled),
	L2_TABLE(unnested),
};

int main(const char *cmdline)
{
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
