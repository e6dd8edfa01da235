/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested paging (AMD APM vol. 2, 15.25): every kind of nested page fault at
 * each level, faults of L2's own table walks, their order, large pages, the
 * accessed and dirty bits that L2's accesses leave in L1's nested tables.
 */
#include "guest/lib/idt.h"
#include "guest/test/svm_guest.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"

#define RESERVED      (1ull << 51) /* beyond the physical addresses */
#define VMMCALL_BYTES 0xd9010full
#define HOLE	      0xc0000000ull /* no RAM: the machines are small */
#define MARK	      0x5511ull
#define EXIT_PF	      (VMCB_EXIT_EXCEPTION + VECTOR_PF)
#define ENTRY_SIZE    8
#define AD	      (PTE_ACCESSED | PTE_DIRTY)

/* Error codes */
#define P     VMCB_NPF_PRESENT
#define W     VMCB_NPF_WRITE
#define U     VMCB_NPF_USER
#define RSV   VMCB_NPF_RESERVED
#define FETCH VMCB_NPF_FETCH
#define FINAL (VMCB_NPF_FINAL | U)     /* every nested access is a user's */
#define WALK  (VMCB_NPF_TABLE | U | W) /* and that to a table a write */

int main(const char *cmdline);

/* RBX = TARGET */
SVM_CODE(do_read, "mov (%rbx), %rcx")
SVM_CODE(do_write, "movq $0x5511, (%rbx)")
SVM_CODE(do_fetch, "jmp *%rbx")
SVM_CODE(do_read_write, "mov (%rbx), %rcx; movq $0x5511, (%rbx)")
SVM_CODE(do_nop, "nop")

static u64 run(svm_code *code)
{
	svm_regs.rbx = TARGET;
	return l2_run(code);
}

/* A nested page fault: at @gpa, and L2 has not moved. */
static void expect_fault(const struct l2_row *r, u64 info, u64 gpa)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	if (!l2_expect("exit", run(r->code), VMCB_EXIT_NPF))
		return;
	l2_expect("info 1", c->exit_info_1, info);
	l2_expect("info 2", c->exit_info_2, gpa);
	l2_expect("EXITINTINFO.V", c->exit_int_info & VMCB_EVENT_VALID, 0);
	l2_expect("rip", svm_vmcb.save.rip,
		  r->code == do_fetch ? TARGET : (u64)r->code);
}

static void expect_done(svm_code *code)
{
	TARGET_WORD(CHAIN_A) = code == do_fetch ? VMMCALL_BYTES : WORD_A;
	svm_regs.rcx = 0;
	if (!l2_expect("exit", run(code), VMCB_EXIT_VMMCALL))
		return;
	if (code == do_read || code == do_read_write)
		l2_expect("read", svm_regs.rcx, WORD_A);
	if (code == do_write || code == do_read_write)
		l2_expect("written", TARGET_WORD(CHAIN_A), MARK);
	if (code == do_fetch)
		l2_expect("rip", svm_vmcb.save.rip, TARGET);
}

/* Faults of the access itself ***********************************************/

static void change(const struct l2_row *r)
{
	u64 *entry = target_entry(CHAIN_A, (unsigned)r->arg);

	*entry = (*entry | r->set) & ~r->clear;
}

/* The entry at level .arg changed by .set and .clear. */
static void fault(const struct l2_row *r)
{
	target_reset();
	change(r);
	expect_fault(r, r->want, TARGET);
}

static void no_fault(const struct l2_row *r)
{
	target_reset();
	change(r);
	expect_done(r->code);
}

/* L1 mends what was missing; a fault leaves no translation to flush. */
static void mended(const struct l2_row *r)
{
	u64 *entry;

	target_reset();
	entry = target_entry(CHAIN_A, (unsigned)r->arg);
	change(r);
	l2_expect("fault", run(r->code), VMCB_EXIT_NPF);
	*entry = (*entry | r->clear) & ~r->set;
	svm_vmcb.control.tlb_control = VMCB_TLB_KEEP;
	expect_done(r->code);
}

#define FAULT(name, level, code_, error, ...)                        \
	L2_ROW("npf-" name "-" #level, fault, code_, .arg = (level), \
	       .want = FINAL | (error), __VA_ARGS__)
#define WORKS(name, level, code_, ...)                                  \
	L2_ROW("npt-" name "-" #level, no_fault, code_, .arg = (level), \
	       __VA_ARGS__)
#define MENDED(name, level, code_, ...)                                      \
	L2_ROW("npt-mended-" name "-" #level, mended, code_, .arg = (level), \
	       __VA_ARGS__)

/* The same at each level: 4 is the root's. */
#define AT_LEVEL(n)                                                           \
	FAULT("absent-read", n, do_read, 0, .clear = PTE_PRESENT),            \
		FAULT("absent-write", n, do_write, W, .clear = PTE_PRESENT),  \
		FAULT("absent-fetch", n, do_fetch, FETCH,                     \
		      .clear = PTE_PRESENT),                                  \
		FAULT("readonly-write", n, do_write, P | W,                   \
		      .clear = PTE_WRITE),                                    \
		FAULT("supervisor-read", n, do_read, P, .clear = PTE_USER),   \
		FAULT("supervisor-write", n, do_write, P | W,                 \
		      .clear = PTE_USER),                                     \
		FAULT("supervisor-fetch", n, do_fetch, P | FETCH,             \
		      .clear = PTE_USER),                                     \
		FAULT("nx-fetch", n, do_fetch, P | FETCH, .set = NPTE_NX),    \
		FAULT("reserved-read", n, do_read, P | RSV, .set = RESERVED), \
		FAULT("reserved-write", n, do_write, P | W | RSV,             \
		      .set = RESERVED),                                       \
		FAULT("reserved-fetch", n, do_fetch, P | FETCH | RSV,         \
		      .set = RESERVED),                                       \
		FAULT("reserved-absent-read", n, do_read, 0, .set = RESERVED, \
		      .clear = PTE_PRESENT),                                  \
		WORKS("readonly-read", n, do_read, .clear = PTE_WRITE),       \
		WORKS("readonly-fetch", n, do_fetch, .clear = PTE_WRITE),     \
		WORKS("nx-read", n, do_read, .set = NPTE_NX),                 \
		WORKS("nx-write", n, do_write, .set = NPTE_NX),               \
		MENDED("absent", n, do_read, .clear = PTE_PRESENT),           \
		MENDED("readonly", n, do_write, .clear = PTE_WRITE),          \
		MENDED("nx", n, do_fetch, .set = NPTE_NX)

static const struct l2_row accesses[] = {
	WORKS("plain-read", 1, do_read),
	WORKS("plain-write", 1, do_write),
	WORKS("plain-fetch", 1, do_fetch),
	AT_LEVEL(1),
	AT_LEVEL(2),
	AT_LEVEL(3),
	AT_LEVEL(4),
	FAULT("large", 4, do_read, P | RSV, .set = PTE_LARGE),
};

/* Faults of L2's table walk *************************************************/

/* The nested entry of the page of L2's own table at level .arg. */
static u64 *walk_npte(const struct l2_row *r)
{
	return svm_npte((u64)target_guest_entry((unsigned)r->arg));
}

/* L2's root serves its code, too: that is where the first walk ends. */
static u64 walk_address(const struct l2_row *r)
{
	u64 entry = (u64)target_guest_entry((unsigned)r->arg);

	return r->arg == LEVEL_PML4
		       ? entry - TARGET_INDEX(LEVEL_PML4) * ENTRY_SIZE
		       : entry;
}

static void walk_fault(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;
	u64 *entry = walk_npte(r);

	target_reset();
	*entry = (*entry | r->set) & ~r->clear;
	if (!l2_expect("exit", run(r->code), VMCB_EXIT_NPF))
		return;
	l2_expect("info 1", c->exit_info_1, r->want);
	l2_expect("info 2", c->exit_info_2, walk_address(r));
}

static void walk_mended(const struct l2_row *r)
{
	u64 *entry = walk_npte(r);

	target_reset();
	*entry = (*entry | r->set) & ~r->clear;
	l2_expect("fault", run(r->code), VMCB_EXIT_NPF);
	*entry = (*entry | r->clear) & ~r->set;
	svm_vmcb.control.tlb_control = VMCB_TLB_KEEP;
	expect_done(r->code);
}

static void walk_works(const struct l2_row *r)
{
	u64 *entry = walk_npte(r);

	target_reset();
	*entry = (*entry | r->set) & ~r->clear;
	expect_done(r->code);
}

#define WALK_FAULT(name, level, code_, error, ...)                         \
	L2_ROW("walk-" name "-" #level, walk_fault, code_, .arg = (level), \
	       .want = WALK | (error), __VA_ARGS__)
#define WALK_AT_LEVEL(n)                                                      \
	WALK_FAULT("absent", n, do_read, 0, .clear = PTE_PRESENT),            \
		WALK_FAULT("absent-by-fetch", n, do_fetch, 0,                 \
			   .clear = PTE_PRESENT),                             \
		WALK_FAULT("readonly", n, do_read, P, .clear = PTE_WRITE),    \
		WALK_FAULT("supervisor", n, do_read, P, .clear = PTE_USER),   \
		WALK_FAULT("reserved", n, do_read, P | RSV, .set = RESERVED), \
		L2_ROW("walk-nx-" #n, walk_works, do_read, .arg = (n),        \
		       .set = NPTE_NX),                                       \
		L2_ROW("walk-mended-" #n, walk_mended, do_read, .arg = (n),   \
		       .clear = PTE_PRESENT)

/* L2's own faults come before that of the access: .clear and .set of its entry
 * at level .arg, error code .want; the nested page is absent. */
static void guest_first(const struct l2_row *r)
{
	u64 *entry;

	target_reset();
	entry = target_guest_entry((unsigned)r->arg);
	*entry = (*entry | r->set) & ~r->clear;
	*target_entry(CHAIN_A, LEVEL_PT) = 0;
	svm_vmcb.save.efer |= EFER_NXE;
	if (!l2_expect("exit", run(r->code), EXIT_PF))
		return;
	l2_expect("error code", svm_vmcb.control.exit_info_1, r->want);
	l2_expect("address", svm_vmcb.control.exit_info_2, TARGET);
}

/* But behind those of the tables. */
static void walk_first(const struct l2_row *r)
{
	target_reset();
	*target_guest_entry((unsigned)r->arg) = 0;
	*walk_npte(r) = 0;
	l2_expect("exit", run(r->code), VMCB_EXIT_NPF);
	l2_expect("info 1", svm_vmcb.control.exit_info_1, WALK);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, walk_address(r));
}

/* L2's CR0.WP and L1's are nothing to a nested page that is read-only. */
static void write_protect(const struct l2_row *r)
{
	target_reset();
	*target_entry(CHAIN_A, LEVEL_PT) &= ~(u64)PTE_WRITE;
	svm_vmcb.save.cr0 &= ~r->clear;
	write_cr0(read_cr0() & ~r->set);
	expect_fault(r, FINAL | P | W, TARGET);
	write_cr0(read_cr0() | CR0_WP);
}

static const struct l2_row walks[] = {
	WALK_AT_LEVEL(2),
	WALK_AT_LEVEL(3),
	WALK_AT_LEVEL(4),
	L2_ROW("order-pf-absent", guest_first, do_read, .arg = LEVEL_PD,
	       .clear = PTE_PRESENT),
	L2_ROW("order-pf-absent-3", guest_first, do_write, .arg = LEVEL_PDPT,
	       .clear = PTE_PRESENT, .want = W),
	L2_ROW("order-pf-readonly", guest_first, do_write, .arg = LEVEL_PD,
	       .clear = PTE_WRITE, .want = P | W),
	L2_ROW("order-pf-nx", guest_first, do_fetch, .arg = LEVEL_PD,
	       .set = NPTE_NX, .want = P | FETCH),
	L2_ROW("order-pf-reserved", guest_first, do_read, .arg = LEVEL_PD,
	       .set = RESERVED, .want = P | RSV),
	L2_ROW("order-walk-first", walk_first, do_read, .arg = LEVEL_PD),
	L2_ROW("order-walk-first-3", walk_first, do_read, .arg = LEVEL_PDPT),
	L2_ROW("npf-cr0-wp", write_protect, do_write, .clear = CR0_WP),
	L2_ROW("npf-cr0-wp-of-l1", write_protect, do_write, .set = CR0_WP),
};

/* Large pages ***************************************************************/

/* A nested page of 2 MiB or 1 GiB: with .set, and faults as small ones have. */
static void make_large(const struct l2_row *r)
{
	target_reset();
	*target_entry(CHAIN_A, (unsigned)r->arg) =
		((r->arg == LEVEL_PD ? TARGET_DATA(CHAIN_A) : 0) | NPTE_ALL |
		 PTE_LARGE | r->set) &
		~r->clear;
}

static void large(const struct l2_row *r)
{
	make_large(r);
	if (r->arg == LEVEL_PDPT && !has_1g_pages())
		expect_fault(r, FINAL | P | RSV, TARGET);
	else
		expect_done(r->code);
}

static void large_fault(const struct l2_row *r)
{
	u64 want = r->want;

	make_large(r);
	if (r->arg == LEVEL_PDPT && !has_1g_pages() && (want & P))
		want |= RSV;
	expect_fault(r, FINAL | want, TARGET);
}

#define LARGE_AT(n)                                                            \
	L2_ROW("large-read-" #n, large, do_read, .arg = (n)),                  \
		L2_ROW("large-write-" #n, large, do_write, .arg = (n)),        \
		L2_ROW("large-fetch-" #n, large, do_fetch, .arg = (n)),        \
		L2_ROW("large-absent-" #n, large_fault, do_write, .arg = (n),  \
		       .clear = PTE_PRESENT, .want = W),                       \
		L2_ROW("large-readonly-" #n, large_fault, do_write,            \
		       .arg = (n), .clear = PTE_WRITE, .want = P | W),         \
		L2_ROW("large-nx-" #n, large_fault, do_fetch, .arg = (n),      \
		       .set = NPTE_NX, .want = P | FETCH),                     \
		L2_ROW("large-misaligned-" #n, large_fault, do_read,           \
		       .arg = (n), .set = 1 << 13, .want = P | RSV),           \
		L2_ROW("large-reserved-" #n, large_fault, do_read, .arg = (n), \
		       .set = RESERVED, .want = P | RSV)

/* Nested memory that is not there reads as it does for L1. */
static void hole(const struct l2_row *r)
{
	target_reset();
	*target_entry(CHAIN_A, LEVEL_PT) = HOLE | NPTE_ALL;
	l2_expect("exit", run(r->code), VMCB_EXIT_VMMCALL);
	l2_expect("value", svm_regs.rcx, *(volatile u64 *)(HOLE | 8));
}

/* As a table, it holds nothing that is present and valid. */
static void hole_table(const struct l2_row *r)
{
	target_reset();
	*target_entry(CHAIN_A, (unsigned)r->arg) = HOLE | NPTE_ALL;
	l2_expect("exit", run(r->code), VMCB_EXIT_NPF);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, TARGET);
}

/* What exit that is, the manual does not say; L2 does not run, L1 goes on. */
static void hole_root(const struct l2_row *r)
{
	target_reset();
	svm_vmcb.control.ncr3 = HOLE;
	run(r->code);
	l2_expect("rip", svm_vmcb.save.rip, (u64)r->code);
	svm_reset();
	target_reset();
	expect_done(r->code);
}

static const struct l2_row pages[] = {
	LARGE_AT(2),
	LARGE_AT(3),
	L2_ROW("hole-read", hole, do_read),
	L2_ROW("hole-table-2", hole_table, do_read, .arg = LEVEL_PD),
	L2_ROW("hole-table-3", hole_table, do_read, .arg = LEVEL_PDPT),
	L2_ROW("hole-table-4", hole_table, do_read, .arg = LEVEL_PML4),
	L2_ROW("hole-root", hole_root, do_read),
};

/* Accessed and dirty bits ***************************************************/

/* Bits of the entry at level .arg after the access: .want. .set: there before
 * it. */
static void bits(const struct l2_row *r)
{
	u64 *entry;

	target_reset();
	entry = target_entry(CHAIN_A, (unsigned)r->arg);
	*entry |= r->set;
	expect_done(r->code);
	l2_expect("bits", *entry & AD, r->want);
	l2_expect("neighbour", entry[1] & AD, 0);
}

static void bits_large(const struct l2_row *r)
{
	large(r);
	if (r->arg == LEVEL_PD || has_1g_pages())
		l2_expect("bits", *target_entry(CHAIN_A, (unsigned)r->arg) & AD,
			  r->want);
}

/* A write after a read, with nothing in between that flushes. */
static void bits_later(const struct l2_row *r)
{
	bits(r);
	svm_vmcb.control.tlb_control = VMCB_TLB_KEEP;
	expect_done(do_write);
	l2_expect("later", *target_entry(CHAIN_A, LEVEL_PT) & AD, AD);
}

/* What L1 clears, the next access after a flush sets again. */
static void bits_cleared(const struct l2_row *r)
{
	u64 *entry;

	target_reset();
	entry = target_entry(CHAIN_A, LEVEL_PT);
	expect_done(do_write);
	*entry &= ~(u64)AD;
	svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	expect_done(r->code);
	l2_expect("bits", *entry & AD, r->want);
}

/* A write that faults has written nothing. */
static void bits_fault(const struct l2_row *r)
{
	u64 *entry;

	target_reset();
	entry = target_entry(CHAIN_A, LEVEL_PT);
	*entry &= ~(u64)PTE_WRITE;
	expect_fault(r, FINAL | P | W, TARGET);
	l2_expect("dirty", *entry & PTE_DIRTY, 0);
	l2_expect("data", TARGET_WORD(CHAIN_A), WORD_A);
}

/* Pages of L2's own tables are written, whatever L2 does. */
static void bits_walk(const struct l2_row *r)
{
	target_reset();
	expect_done(r->code);
	l2_expect("bits", *walk_npte(r) & AD, AD);
}

/* L2's own entries: those are the CPU's to set, in L2's memory. */
static void bits_guest(const struct l2_row *r)
{
	target_reset();
	expect_done(r->code);
	l2_expect("bits", *target_guest_entry((unsigned)r->arg) & AD, r->want);
}

#define BITS(name, level, code_, after, ...)                         \
	L2_ROW("bits-" name "-" #level, bits, code_, .arg = (level), \
	       .want = (after), __VA_ARGS__)
#define BITS_LARGE(name, level, code_, after)                    \
	L2_ROW("bits-large-" name "-" #level, bits_large, code_, \
	       .arg = (level), .want = (after))

static const struct l2_row marks[] = {
	BITS("read", 1, do_read, PTE_ACCESSED),
	BITS("read", 2, do_read, PTE_ACCESSED),
	BITS("read", 3, do_read, PTE_ACCESSED),
	BITS("read", 4, do_read, PTE_ACCESSED),
	BITS("write", 1, do_write, AD),
	BITS("write", 2, do_write, PTE_ACCESSED),
	BITS("write", 3, do_write, PTE_ACCESSED),
	BITS("write", 4, do_write, PTE_ACCESSED),
	BITS("fetch", 1, do_fetch, PTE_ACCESSED),
	BITS("fetch", 4, do_fetch, PTE_ACCESSED),
	BITS("untouched", 1, do_nop, 0),
	BITS("untouched", 4, do_nop, 0),
	BITS("read-then-write", 1, do_read_write, AD),
	BITS("read-accessed", 1, do_read, PTE_ACCESSED, .set = PTE_ACCESSED),
	BITS("write-accessed", 1, do_write, AD, .set = PTE_ACCESSED),
	BITS("read-dirty", 1, do_read, AD, .set = AD),
	BITS_LARGE("read", 2, do_read, PTE_ACCESSED),
	BITS_LARGE("write", 2, do_write, AD),
	BITS_LARGE("read", 3, do_read, PTE_ACCESSED),
	BITS_LARGE("write", 3, do_write, AD),
	L2_ROW("bits-write-later", bits_later, do_read, .arg = LEVEL_PT,
	       .want = PTE_ACCESSED),
	L2_ROW("bits-cleared-write", bits_cleared, do_write, .want = AD),
	L2_ROW("bits-cleared-read", bits_cleared, do_read,
	       .want = PTE_ACCESSED),
	L2_ROW("bits-fault", bits_fault, do_write),
	L2_ROW("bits-walk-2", bits_walk, do_read, .arg = LEVEL_PD),
	L2_ROW("bits-walk-3", bits_walk, do_read, .arg = LEVEL_PDPT),
	L2_ROW("bits-walk-4", bits_walk, do_read, .arg = LEVEL_PML4),
	L2_ROW("bits-guest-read", bits_guest, do_read, .arg = LEVEL_PD,
	       .want = PTE_ACCESSED),
	L2_ROW("bits-guest-write", bits_guest, do_write, .arg = LEVEL_PD,
	       .want = AD),
	L2_ROW("bits-guest-table", bits_guest, do_write, .arg = LEVEL_PDPT,
	       .want = PTE_ACCESSED),
};

static const struct l2_table tables[] = {
	L2_TABLE(accesses),
	L2_TABLE(walks),
	L2_TABLE(pages),
	L2_TABLE(marks),
};

int main(const char *cmdline)
{
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
