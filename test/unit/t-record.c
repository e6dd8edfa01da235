/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/svm/record.c: how far L1's code is recorded, and what of it. Registers at
 * its beginning are those of begin().
 */
#include "test/unit/record_machine.h"

#include "hv/ptable.h"
#include "lib/x86dec.h"

#define MAX_CODE 256

/* One instruction each, 64-bit operands. */
#define VMLOAD	    "\x0f\x01\xda"
#define VMSAVE	    "\x0f\x01\xdb"
#define VMRUN	    "\x0f\x01\xd8"
#define LOAD_RCX    "\x48\x8b\x4f\x08"	   /* mov 8(%rdi), %rcx */
#define LOAD_RDX    "\x48\x8b\x57\x10"	   /* mov 16(%rdi), %rdx */
#define LOAD_RSI    "\x48\x8b\x76\x08"	   /* mov 8(%rsi), %rsi */
#define LOAD_ALIAS  "\x48\x8b\x4b\x08"	   /* mov 8(%rbx), %rcx */
#define LOAD_STACK  "\x48\x8b\x4c\x24\x08" /* mov 8(%rsp), %rcx */
#define STORE_RCX   "\x48\x89\x4f\x08"	   /* mov %rcx, 8(%rdi) */
#define STORE_RDX   "\x48\x89\x57\x10"	   /* mov %rdx, 16(%rdi) */
#define STORE_RSP   "\x48\x89\x67\x08"	   /* mov %rsp, 8(%rdi) */
#define STORE_ALIAS "\x48\x89\x4b\x08"	   /* mov %rcx, 8(%rbx) */
#define STORE_R10   "\x49\x89\x4a\x08"	   /* mov %rcx, 8(%r10) */
#define POP_RCX	    "\x59"
#define POP_R8	    "\x41\x58"

struct row {
	const char *name;
	void (*before)(void);
	const char *code;
	unsigned length; /* of @code, ... */
	unsigned taken;	 /* ... and of it recorded */
};

#define ROW(name_, before_, code_, taken_)                             \
	{                                                              \
		.name = (name_), .before = (before_), .code = (code_), \
		.length = sizeof(code_) - 1, .taken = (taken_)         \
	}

static struct ahead a;
static unsigned at; /* where the code begins in its page */

static void begin(void)
{
	machine_new();
	*gpr(RAX) = page_pa(PAGE_BLOCK);
	*gpr(RDI) = page_va(PAGE_A);
	*gpr(RSI) = page_va(PAGE_B);
	*gpr(RBX) = page_in(VA_ALIAS, PAGE_A);
	*gpr(RSP) = page_va(PAGE_STACK) + 0x800;
	for (unsigned i = 0; i < 8; i++) {
		*word(PAGE_A, i) = 0xa0 + i;
		*word(PAGE_B, i) = page_va(PAGE_B) + 8ull * i;
		*word(PAGE_STACK, 0x100 + i) = page_pa(PAGE_BLOCK_2);
	}
	at = 0;
}

static void record(const char *code, unsigned length)
{
	machine.vmcb01.save.rip = page_va(PAGE_CODE) + at;
	assert_true(length <= MAX_CODE && at + length <= PAGE_SIZE);
	memcpy((u8 *)page_pa(PAGE_CODE) + at, code, length);
	ahead_record(&machine.v, &a, 0);
}

static unsigned taken(void)
{
	return a.next ? (unsigned)(a.next - a.rip) : 0;
}

static bool has_guard(const u64 *where)
{
	for (u32 i = 0; i < a.guards; i++)
		if (a.guard[i].at == where)
			return a.guard[i].value == *where;
	return false;
}

static void run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		begin();
		if (rows[i].before)
			rows[i].before();
		record(rows[i].code, rows[i].length);
		if (taken() != rows[i].taken)
			fail_msg("%s: %u bytes of %u", rows[i].name, taken(),
				 rows[i].taken);
	}
}

#define RUN_ROWS(rows) run_rows(rows, ARRAY_SIZE(rows))

/* What is recorded *********************************************************/

static void entry(void **state)
{
	(void)state;
	begin();
	record(VMLOAD LOAD_RCX LOAD_RDX "\xeb\x02\x0f\x0b\x90" VMRUN, 19);
	assert_true(a.efer);
	assert_int_equal(taken(), 16);
	assert_int_equal(a.vmrun, a.rip + 19);
	assert_int_equal(a.words, 3);
	assert_int_equal(a.vmload, page_pa(PAGE_BLOCK));
	assert_int_equal(a.vmsave, 0);
	assert_int_equal(a.pops, 0);
	/* Two neighbours. */
	assert_int_equal(a.moves, 1);
	assert_ptr_equal(a.move[0].from, word(PAGE_A, 1));
	assert_ptr_equal(a.move[0].to, gpr(RCX));
	assert_int_equal(a.move[0].words, 2);
	assert_true(has_guard(gpr(RDI)) && has_guard(gpr(RAX)));
	assert_true(has_guard(entry_of(PAGE_A)));
	assert_true(has_guard(entry_of(PAGE_CODE)));
	assert_true(has_guard(word(PAGE_PML4, SLOT_PML4)));
	assert_true(has_guard(word(PAGE_PDPT, SLOT_PDPT)));
	assert_true(has_guard(word(PAGE_PD, 0)));
	assert_false(has_guard(word(PAGE_A, 1)));
	assert_int_equal(a.guards % AHEAD_AT_ONCE, 0);
}

static void leaving(void **state)
{
	(void)state;
	begin();
	*word(PAGE_STACK, 0x100) = page_va(PAGE_A);
	/* pop %rax; mov %rcx, 8(%rax); mov 16(%rax), %rax */
	*word(PAGE_A, 2) = page_pa(PAGE_BLOCK);
	record("\x58\x48\x89\x48\x08\x48\x8b\x40\x10" VMSAVE "\x58" VMLOAD
	       "\x59",
	       17);
	assert_true(a.efer);
	assert_int_equal(taken(), 16);
	assert_int_equal(a.vmrun, 0);
	assert_int_equal(a.vmsave, page_pa(PAGE_BLOCK));
	assert_int_equal(a.vmload, page_pa(PAGE_BLOCK_2));
	assert_int_equal(a.pops, 2);
	assert_ptr_equal(a.stack, word(PAGE_STACK, 0));
	assert_int_equal(a.stack_va, page_va(PAGE_STACK));
	assert_int_equal(a.popped[0], page_va(PAGE_A));
	assert_int_equal(a.popped[1], page_pa(PAGE_BLOCK_2));
	assert_int_equal(a.moves, 2);
	assert_ptr_equal(a.move[0].to, word(PAGE_A, 1));
	assert_ptr_equal(a.move[0].from, gpr(RCX));
	assert_ptr_equal(a.move[1].to, gpr(RAX));
	assert_int_equal(*a.move[1].from, page_pa(PAGE_BLOCK_2));
	/* What VMSAVE's operand came from; RSP may differ. */
	assert_true(has_guard(word(PAGE_A, 2)));
	assert_true(has_guard(&machine.npt01[PAGE_A]));
	assert_false(has_guard(gpr(RSP)));
	assert_false(has_guard(gpr(RAX)));
}

static void pages(void **state)
{
	static const u64 va[] = {VA_4K, VA_ALIAS, VA_2M, VA_1G};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(va); i++) {
		begin();
		*gpr(RDI) = page_in(va[i], PAGE_A);
		record(STORE_RCX VMSAVE, 7);
		assert_int_equal(taken(), 7);
		assert_ptr_equal(a.move[0].to, word(PAGE_A, 1));
	}
}

/* It fits no L1 where nothing of SVM's is in it. */
static void not_worth_it(void **state)
{
	(void)state;
	begin();
	record(LOAD_RCX "\xf4", 5);
	assert_int_equal(taken(), 4);
	assert_int_equal(a.efer, 0);
	begin();
	record(VMRUN, 3);
	assert_int_equal(taken(), 0);
	assert_int_equal(a.vmrun, a.rip + 3);
	assert_true(a.efer);
}

/* Entries that the recording before VMRUN has are last, and no others. */
static void common(void **state)
{
	struct ahead *before;
	u32 n;

	(void)state;
	begin();
	before = &machine.v.ahead[3];
	record(VMLOAD LOAD_RCX VMRUN, 10);
	*before = a;
	memcpy((u8 *)page_pa(PAGE_CODE), POP_RCX STORE_RCX VMSAVE, 8);
	ahead_record(&machine.v, &a, before->id);
	assert_true(a.efer);
	assert_int_equal(a.before, before->id);
	n = (u32)(a.common - a.guard);
	/* NPT01's, RAX, RDI and the stack's own; then five, filled up. */
	assert_int_equal(n, 4);
	assert_int_equal(a.guards, 12);
	for (u32 i = 0; i < a.guards; i++) {
		const u64 *guard = a.guard[i].at;
		bool is_last = guard != &machine.npt01[PAGE_A] &&
			       guard != gpr(RAX) && guard != gpr(RDI) &&
			       guard != entry_of(PAGE_STACK);

		assert_int_equal(is_last, i >= n);
	}
	/* One that nobody has. */
	ahead_record(&machine.v, &a, 12345);
	assert_int_equal(a.before, 0);
	assert_ptr_equal(a.common, a.guard + a.guards);
}

/* Instructions *************************************************************/

static void stack_at_end(void)
{
	*gpr(RSP) = page_va(PAGE_STACK) + PAGE_SIZE - 8;
}

static void stack_in_a(void)
{
	*gpr(RSP) = page_va(PAGE_A) + 0x800;
}

static void save_to_stack(void)
{
	*gpr(RAX) = page_pa(PAGE_STACK);
}

static void save_to_a(void)
{
	*gpr(RAX) = page_pa(PAGE_A);
}

static void save_to_code(void)
{
	*gpr(RAX) = page_pa(PAGE_CODE);
}

static void save_to_0(void)
{
	*gpr(RAX) = 0;
}

static void save_inside(void)
{
	*gpr(RAX) += 8;
}

static void save_nowhere(void)
{
	*gpr(RAX) = page_pa(PAGES);
}

static void save_trapped(void)
{
	machine.traps[PAGE_BLOCK] = true;
}

static void instructions(void **state)
{
	static const struct row rows[] = {
		ROW("nop", NULL, VMSAVE "\x90\x90", 5),
		ROW("pause", NULL, VMSAVE "\xf3\x90", 3),
		ROW("hlt", NULL, VMSAVE "\xf4", 3),
		ROW("jmp", NULL, VMSAVE "\xeb\x01\xf4\x90", 7),
		ROW("jmp back", NULL, VMSAVE "\xeb\xfe", 3),
		ROW("pop", NULL, VMSAVE POP_RCX POP_R8, 6),
		ROW("pop, 16 bits", NULL, VMSAVE "\x66\x59", 3),
		ROW("pop rsp", NULL, VMSAVE "\x5c", 3),
		ROW("four pops", NULL, VMSAVE "\x59\x5a\x5b\x5d\x5e", 7),
		ROW("load", NULL, VMSAVE LOAD_RCX, 7),
		ROW("load, 32 bits", NULL, VMSAVE "\x8b\x4f\x08", 3),
		ROW("load rsp", NULL, VMSAVE "\x48\x8b\x67\x08", 3),
		ROW("load, fs", NULL, VMSAVE "\x64" LOAD_RCX, 3),
		ROW("load, 32-bit address", NULL, VMSAVE "\x67" LOAD_RCX, 3),
		ROW("load, index", NULL, VMSAVE "\x48\x8b\x0c\x0f", 3),
		ROW("load, rip", NULL, VMSAVE "\x48\x8b\x0d\x01\0\0\0", 3),
		ROW("load, absolute", NULL, VMSAVE "\x48\x8b\x0c\x25\0\0\0\x80",
		    3),
		ROW("load, stack", NULL, VMSAVE LOAD_STACK, 8),
		ROW("load, stack after pop", NULL, VMSAVE POP_RCX LOAD_STACK,
		    4),
		ROW("lock", NULL, "\xf0" STORE_RCX VMSAVE, 0),
		ROW("store", NULL, STORE_RCX VMSAVE, 7),
		ROW("store rsp", NULL, STORE_RSP VMSAVE, 0),
		ROW("store of a constant", NULL,
		    "\x48\xc7\x47\x08\0\0\0\0" VMSAVE, 0),
		ROW("add", NULL, "\x48\x01\x4f\x08" VMSAVE, 0),
		ROW("copy", NULL, VMSAVE LOAD_RCX "\x48\x89\xca", 10),
		ROW("copy, other form", NULL, VMSAVE LOAD_RCX "\x48\x8b\xd1",
		    10),
		ROW("copy of what was there", NULL, VMSAVE "\x48\x89\xca", 3),
		ROW("copy to rsp", NULL, VMSAVE LOAD_RCX "\x48\x89\xcc", 7),
	};

	(void)state;
	RUN_ROWS(rows);
}

static void blocks(void **state)
{
	static const struct row rows[] = {
		ROW("vmload, then more", NULL, VMLOAD LOAD_RCX, 7),
		ROW("vmload at the end", NULL, "\x90" VMLOAD LOAD_RCX, 4),
		ROW("vmload twice", NULL, VMLOAD VMLOAD, 3),
		ROW("vmsave twice", NULL, VMSAVE VMSAVE, 3),
		ROW("vmsave, vmload", NULL, VMSAVE VMLOAD, 6),
		ROW("vmload, vmsave", NULL, VMLOAD VMSAVE, 3),
		ROW("vmload, store", NULL, VMLOAD STORE_RCX, 3),
		ROW("vmsave, store", NULL, VMSAVE STORE_RCX, 3),
		ROW("vmmcall", NULL, VMLOAD "\x0f\x01\xd9", 3),
		ROW("stgi", NULL, VMLOAD "\x0f\x01\xdc", 3),
		ROW("vmsave, 32-bit address", NULL, "\x67" VMSAVE, 0),
		ROW("vmsave, rex", NULL, "\x48" VMSAVE, 0),
		ROW("vmsave to 0", save_to_0, VMSAVE, 0),
		ROW("vmsave, unaligned", save_inside, VMSAVE, 0),
		ROW("vmsave to nothing", save_nowhere, VMSAVE, 0),
		ROW("vmsave, trapped", save_trapped, VMSAVE, 0),
		ROW("vmload, trapped", save_trapped, VMLOAD, 0),
		ROW("vmsave to the code", save_to_code, VMSAVE, 0),
		ROW("vmsave to the stack", save_to_stack, VMSAVE POP_RCX, 3),
		ROW("pop, vmsave to the stack", save_to_stack, POP_RCX VMSAVE,
		    4),
		ROW("load of what vmsave wrote", save_to_a, VMSAVE LOAD_RCX, 3),
		ROW("load, vmsave", save_to_a, LOAD_RCX VMSAVE, 7),
	};

	(void)state;
	RUN_ROWS(rows);
}

/* Memory *******************************************************************/

static void store_to_code(void)
{
	*gpr(R8 + 2) = page_in(VA_ALIAS, PAGE_CODE) + 0x800;
}

static void store_to_stack(void)
{
	*gpr(R8 + 2) = page_in(VA_2M, PAGE_STACK) + 8;
}

static void order(void **state)
{
	static const struct row rows[] = {
		ROW("store, load", NULL, STORE_RCX LOAD_RDX VMSAVE, 11),
		ROW("store, load of it", NULL, STORE_RCX LOAD_RCX, 4),
		ROW("store, load by an alias", NULL, STORE_RCX LOAD_ALIAS, 4),
		ROW("load, store", NULL, LOAD_RCX STORE_RDX VMSAVE, 11),
		ROW("load, store to it", NULL, LOAD_RCX STORE_RCX, 4),
		ROW("load, store by an alias", NULL, LOAD_RCX STORE_ALIAS, 4),
		ROW("load twice, store", NULL,
		    LOAD_RCX "\x48\x8b\x4f\x10" STORE_ALIAS VMSAVE, 15),
		ROW("store to the code", store_to_code, STORE_R10, 0),
		ROW("store to the stack", store_to_stack, STORE_R10 VMSAVE, 7),
		ROW("pop, store to the stack", store_to_stack,
		    POP_RCX STORE_R10, 1),
		ROW("store to the stack, pop", store_to_stack,
		    STORE_R10 POP_RCX, 4),
		ROW("store to a stack, pop", stack_in_a, STORE_RCX POP_RCX, 4),
		ROW("pop over the end", stack_at_end, VMSAVE POP_RCX POP_R8, 4),
	};

	(void)state;
	RUN_ROWS(rows);
}

static void misaligned(void)
{
	*gpr(RDI) += 4;
}

static void not_canonical(void)
{
	*gpr(RDI) ^= 1ull << 48;
}

static void trapped(void)
{
	machine.traps[PAGE_A] = true;
}

static void npt01_read_only(void)
{
	machine.npt01[PAGE_A] &= ~(u64)PTE_WRITE;
}

static void npt01_clean(void)
{
	machine.npt01[PAGE_A] &= ~(u64)PTE_DIRTY;
}

static void no_lma(void)
{
	machine.vmcb01.save.efer &= ~(u64)EFER_LMA;
}

static void compatibility_mode(void)
{
	machine.vmcb01.save.cs.attributes = 0;
}

static void user_mode(void)
{
	machine.vmcb01.save.cpl = 3;
}

static void five_levels(void)
{
	machine.vmcb01.save.cr4 |= CR4_LA57;
}

static void states(void **state)
{
	static const struct row rows[] = {
		ROW("misaligned load", misaligned, VMSAVE LOAD_RCX, 3),
		ROW("misaligned store", misaligned, STORE_RCX, 0),
		ROW("not canonical", not_canonical, VMSAVE LOAD_RCX, 3),
		ROW("load, trapped", trapped, VMSAVE LOAD_RCX, 3),
		ROW("store, trapped", trapped, STORE_RCX, 0),
		ROW("load, NPT01 read-only", npt01_read_only, VMSAVE LOAD_RCX,
		    7),
		ROW("store, NPT01 read-only", npt01_read_only, STORE_RCX, 0),
		ROW("load, NPT01 clean", npt01_clean, VMSAVE LOAD_RCX, 7),
		ROW("store, NPT01 clean", npt01_clean, STORE_RCX, 0),
		ROW("no long mode", no_lma, VMSAVE, 0),
		ROW("compatibility mode", compatibility_mode, VMSAVE, 0),
		ROW("CPL 3", user_mode, VMSAVE, 0),
		ROW("LA57", five_levels, VMSAVE, 0),
	};

	(void)state;
	RUN_ROWS(rows);
}

/* One bit of one entry that leads to PAGE_A by @va is changed: whether words
 * there are read and written. */
static void flip(u64 va, u64 *which, u64 bit, bool reads, bool writes)
{
	u64 rdi = page_in(va, PAGE_A);

	begin();
	*gpr(RDI) = rdi;
	*which ^= bit;
	record(STORE_RCX VMSAVE, 7);
	assert_int_equal(taken(), writes ? 7 : 0);
	begin();
	*gpr(RDI) = rdi;
	*which ^= bit;
	record(VMSAVE LOAD_RCX, 7);
	assert_int_equal(taken(), reads ? 7 : 3);
}

static void entries(void **state)
{
	u64 *pt = entry_of(PAGE_A), *pd = word(PAGE_PD, SLOT_2M);
	u64 *pdpt = word(PAGE_PDPT, SLOT_1G);

	(void)state;
	flip(VA_4K, pt, PTE_PWT, true, true);
	flip(VA_4K, pt, PTE_PRESENT, false, false);
	flip(VA_4K, pt, PTE_ACCESSED, false, false);
	flip(VA_4K, pt, PTE_WRITE, true, false);
	flip(VA_4K, pt, PTE_DIRTY, true, false);
	flip(VA_4K, pt, PT_NX, true, true);
	/* The user's only if each level says so. */
	flip(VA_4K, pt, PTE_USER, true, true);
	/* PAT, and bit 7 of an entry that is no large page. */
	flip(VA_4K, pt, PTE_LARGE, true, true);
	flip(VA_2M, pd, PTE_PRESENT, false, false);
	flip(VA_2M, pd, PTE_ACCESSED, false, false);
	flip(VA_2M, pd, PTE_WRITE, true, false);
	flip(VA_2M, pd, PTE_DIRTY, true, false);
	flip(VA_2M, pd, 0x1000, true, true);
	flip(VA_2M, pd, 0x2000, false, false);
	flip(VA_2M, pd, 0x100000, false, false);
	flip(VA_1G, pdpt, PTE_PRESENT, false, false);
	flip(VA_1G, pdpt, PTE_WRITE, true, false);
	flip(VA_1G, pdpt, PTE_DIRTY, true, false);
	flip(VA_1G, pdpt, 0x1000, true, true);
	flip(VA_1G, pdpt, 0x2000, false, false);
	flip(VA_1G, pdpt, 0x200000, false, false);
}

static void without_nxe(void)
{
	machine.vmcb01.save.efer &= ~(u64)EFER_NXE;
	*entry_of(PAGE_A) |= PT_NX;
}

static void large_pml4(void)
{
	*word(PAGE_PML4, SLOT_PML4) |= PTE_LARGE;
}

static void middle_not_accessed(void)
{
	*word(PAGE_PD, 0) &= ~(u64)PTE_ACCESSED;
}

static void middle_read_only(void)
{
	*word(PAGE_PDPT, SLOT_PDPT) &= ~(u64)PTE_WRITE;
}

static void users_page(void)
{
	*word(PAGE_PML4, SLOT_PML4) |= PTE_USER;
	*word(PAGE_PDPT, SLOT_PDPT) |= PTE_USER;
	*word(PAGE_PD, 0) |= PTE_USER;
	*entry_of(PAGE_A) |= PTE_USER;
}

static void code_is_nowhere(void)
{
	*entry_of(PAGE_CODE) &= ~(u64)PTE_PRESENT;
}

static void other_entries(void **state)
{
	static const struct row rows[] = {
		ROW("PT_NX without NXE", without_nxe, VMSAVE LOAD_RCX, 3),
		ROW("large PML4E", large_pml4, VMSAVE LOAD_RCX, 3),
		ROW("middle not accessed", middle_not_accessed, VMSAVE LOAD_RCX,
		    3),
		ROW("load, middle read-only", middle_read_only, VMSAVE LOAD_RCX,
		    7),
		ROW("store, middle read-only", middle_read_only, STORE_RCX, 0),
		ROW("user's page", users_page, VMSAVE LOAD_RCX, 3),
		ROW("no code", code_is_nowhere, VMSAVE, 0),
	};

	(void)state;
	RUN_ROWS(rows);
}

/* Limits *******************************************************************/

static char code[MAX_CODE];
static unsigned length;

static void add(const char *insn, unsigned n)
{
	memcpy(code + length, insn, n);
	length += n;
}

static void add_nops(unsigned n)
{
	while (n--)
		add("\x90", 1);
}

static void add_store(u32 disp)
{
	add("\x48\x89\x8f", 3); /* mov %rcx, disp(%rdi) */
	add((const char *)&disp, sizeof(disp));
}

static void restart(void)
{
	begin();
	length = 0;
}

/* Each page costs an entry of L1's and one of NPT01. */
static void too_many_guards(void **state)
{
	(void)state;
	restart();
	*gpr(RDI) = page_va(0) + 0x808;
	for (u32 i = 0; i < PAGE_CODE; i++)
		add_store(i * PAGE_SIZE);
	add_store(ALIASES * PAGE_SIZE);
	add_store((ALIASES + 1) * PAGE_SIZE);
	record(code, length);
	assert_int_equal(taken(), length - 7);
	assert_int_equal(a.moves, PAGE_CODE + 1);
	assert_true(a.guards <= AHEAD_GUARDS);
}

static void too_many_addresses(void **state)
{
	(void)state;
	restart();
	add(VMSAVE, 3);
	for (unsigned i = 0; i < AHEAD_FIXED + 2; i++)
		add(LOAD_RSI, 4);
	record(code, length);
	assert_int_equal(taken(), length - 4);
	assert_int_equal(a.fixes, AHEAD_FIXED);
	assert_ptr_equal(a.move[0].from, word(PAGE_B, AHEAD_FIXED + 1));
}

static void too_many_instructions(void **state)
{
	(void)state;
	restart();
	add(VMSAVE, 3);
	add_nops(40);
	record(code, length);
	assert_int_equal(taken(), 3 + 31);
}

/* What does not fit leaves no trace: the CPU executes it. */
static void too_many_bytes(void **state)
{
	unsigned room = AHEAD_WORDS * 8;

	(void)state;
	restart();
	add(VMSAVE "\xeb\x7f", 5);
	add_nops(127 + 2);
	add(POP_R8, 2);
	record(code, length);
	assert_int_equal(taken(), room);
	assert_int_equal(a.pops, 1);
	assert_int_equal(a.words, AHEAD_WORDS);
	length -= 2;
	add("\x90" POP_R8, 3);
	record(code, length);
	assert_int_equal(taken(), room - 1);
	assert_int_equal(a.pops, 0);
	assert_int_equal(a.moves, 0);
	length -= 2;
	add(VMRUN, 3);
	record(code, length);
	assert_int_equal(taken(), room - 1);
	assert_int_equal(a.vmrun, 0);
}

static void end_of_page(void **state)
{
	(void)state;
	restart();
	at = PAGE_SIZE - X86_INSN_MAX - 3;
	/* Of the longest instruction that is looked at a byte is behind. */
	record(VMSAVE "\x48\x8b\x8c\x24\x08\0\0", 10);
	assert_int_equal(taken(), 3);
	assert_int_equal(a.moves, 0);
	at--;
	record(VMSAVE "\x48\x8b\x8c\x24\x08\0\0", 10);
	assert_int_equal(taken(), 11);
	assert_int_equal(a.moves, 1);
	at = PAGE_SIZE - X86_INSN_MAX;
	record("\x90" VMRUN, 4);
	assert_int_equal(taken(), 1);
	assert_int_equal(a.vmrun, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry),
		cmocka_unit_test(leaving),
		cmocka_unit_test(pages),
		cmocka_unit_test(not_worth_it),
		cmocka_unit_test(common),
		cmocka_unit_test(instructions),
		cmocka_unit_test(blocks),
		cmocka_unit_test(order),
		cmocka_unit_test(states),
		cmocka_unit_test(entries),
		cmocka_unit_test(other_entries),
		cmocka_unit_test(too_many_guards),
		cmocka_unit_test(too_many_addresses),
		cmocka_unit_test(too_many_instructions),
		cmocka_unit_test(too_many_bytes),
		cmocka_unit_test(end_of_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
