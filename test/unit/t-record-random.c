/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/svm/record.c and ahead.c: random code of L1's on random memory. What was
 * recorded is carried out later, when some of what it depends on has changed;
 * it has to do what a plain interpreter does with the same instructions, or
 * nothing.
 */
#include "test/unit/record_machine.h"

#include "hv/ptable.h"
#include "lib/cpu.h"

#define ROUNDS	  8000u
#define CHANGES	  12 /* in each round, one after the other */
#define MAX_INSNS 40
#define WORDS	  12 /* of each page that are used */
#define STACK_TOP 0x800

enum op { LOAD, STORE, COPY, POP, NOP, JMP, SAVE, LOAD_BLOCK, RUN, OTHER, OPS };

struct insn {
	enum op op;
	u8 reg, base;
	u32 disp;
	unsigned at, len; /* in its page */
};

/* All that an instruction may change. */
struct world {
	u64 gpr[GPRS], rip, star;
	u64 npt01[PAGES];
	u8 ram[PAGES * PAGE_SIZE];
};

static struct {
	struct insn insn[MAX_INSNS];
	unsigned n;
	unsigned done, vmruns, blocks, stores, pops; /* carried out */
} t;

static struct world first, want, got;

static u64 draw(u64 n)
{
	static u64 seed = 0x9e3779b97f4a7c15;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % n;
}

/* Worlds *******************************************************************/

static void keep(struct world *w)
{
	for (unsigned i = 0; i < GPRS; i++)
		w->gpr[i] = *gpr(i);
	w->rip = machine.vmcb01.save.rip;
	w->star = machine.star;
	memcpy(w->npt01, machine.npt01, sizeof(w->npt01));
	memcpy(w->ram, (void *)RAM, sizeof(w->ram));
}

static void restore(const struct world *w)
{
	for (unsigned i = 0; i < GPRS; i++)
		*gpr(i) = w->gpr[i];
	machine.vmcb01.save.rip = w->rip;
	machine.star = w->star;
	memcpy(machine.npt01, w->npt01, sizeof(w->npt01));
	memcpy((void *)RAM, w->ram, sizeof(w->ram));
}

/* The interpreter **********************************************************/

/* Of the tables as they were at the beginning: the TLB may have them. */
static u64 table_word(const struct world *w, u64 pa)
{
	u64 value;

	assert_true(pa >= RAM && pa < page_pa(PAGES));
	memcpy(&value, w->ram + (pa - RAM), sizeof(value));
	return value;
}

static bool is_bad(u64 e, unsigned shift)
{
	bool large = e & PTE_LARGE && shift != 12;

	return !(e & PTE_PRESENT) ||
	       (e & PT_NX && !(machine.vmcb01.save.efer & EFER_NXE)) ||
	       (large && shift == 39) ||
	       (large && e & ((1ull << shift) - 0x2000) & PT_ADDR) ||
	       (e & PT_ADDR) < RAM || (e & PT_ADDR) >= page_pa(PAGES);
}

/* Where the word at @va is, for CPL 0, with accessed and dirty bits set. NULL:
 * a fault, or not L1's plain memory. */
static u8 *translate(const struct world *w, u64 va, bool write)
{
	u64 table = machine.vmcb01.save.cr3 & PT_ADDR, pa;

	if (va + (1ull << 47) >= 1ull << 48)
		return NULL;
	for (unsigned shift = 39;; shift -= 9) {
		u64 at = table + (va >> shift) % 512 * 8;
		u64 e = table_word(w, at), inside = (1ull << shift) - 1;
		bool leaf = shift == 12 || e & PTE_LARGE;

		if (is_bad(e, shift) || (write && !(e & PTE_WRITE)))
			return NULL;
		e |= PTE_ACCESSED | (leaf && write ? PTE_DIRTY : 0);
		if (e != table_word(w, at))
			*(u64 *)at = e;
		table = e & PT_ADDR;
		if (leaf) {
			pa = (table & ~inside) | (va & inside);
			break;
		}
	}
	if (pa > page_pa(PAGES) - 8)
		return NULL;
	if (write)
		machine.npt01[(pa - RAM) / PAGE_SIZE] |= PTE_DIRTY;
	return (u8 *)pa;
}

static bool move(const struct world *w, const struct insn *i)
{
	u64 va = *gpr(i->base) + i->disp;
	u8 *at = translate(w, va, i->op == STORE);

	if (!at)
		return false;
	if (i->op == STORE)
		memcpy(at, gpr(i->reg), 8);
	else
		memcpy(gpr(i->reg), at, 8);
	return true;
}

static bool pop(const struct world *w, const struct insn *i)
{
	const u8 *at = translate(w, *gpr(RSP), false);
	u64 value;

	if (!at)
		return false;
	memcpy(&value, at, 8);
	*gpr(RSP) += 8;
	*gpr(i->reg) = value;
	return true;
}

static bool block(enum op op)
{
	u64 pa = *gpr(RAX);

	if (pa < RAM || pa >= page_pa(PAGES) || pa % PAGE_SIZE)
		return false;
	if (op == SAVE)
		vmsave(pa);
	else
		vmload(pa);
	return true;
}

static bool execute(const struct world *w, const struct insn *i)
{
	switch (i->op) {
	case LOAD:
	case STORE:
		return move(w, i);
	case COPY:
		*gpr(i->reg) = *gpr(i->base);
		return true;
	case POP:
		return pop(w, i);
	case NOP:
	case JMP:
		return true;
	case SAVE:
	case LOAD_BLOCK:
		return block(i->op);
	default:
		return false;
	}
}

/* From the first instruction to the one at @end, from where it is. */
static bool interpret(const struct world *w, u64 end)
{
	u64 *rip = &machine.vmcb01.save.rip;

	for (unsigned i = 0; *rip != end; i++) {
		if (i == t.n || !execute(w, &t.insn[i]))
			return false;
		*rip = page_va(PAGE_CODE) + t.insn[i].at + t.insn[i].len;
	}
	return true;
}

/* Code *********************************************************************/

static u8 *emit(u8 *to, const char *bytes, size_t n)
{
	memcpy(to, bytes, n);
	return to + n;
}

/* REX.W @opcode, with register or memory. */
static u8 *emit_mov(u8 *to, u8 opcode, const struct insn *i, bool memory)
{
	u8 modrm = (u8)((i->reg & 7) << 3 | (i->base & 7));
	bool wide = i->disp >= 0x80 || draw(4) == 0;

	*to++ = (u8)(0x48 | (i->reg >> 3) << 2 | i->base >> 3);
	*to++ = opcode;
	*to++ = memory ? modrm | (wide ? 0x80 : 0x40) : modrm | 0xc0;
	if (!memory)
		return to;
	if ((i->base & 7) == RSP)
		*to++ = 0x24;
	return emit(to, (const char *)&i->disp, wide ? 4 : 1);
}

static u8 *emit_pop(u8 *to, u8 reg)
{
	if (reg >= 8)
		*to++ = 0x41;
	*to++ = 0x58 | (reg & 7);
	return to;
}

static u8 *emit_insn(u8 *to, const struct insn *i)
{
	static const char jmp[] = "\xeb\x03\xcc\xcc\xcc";

	switch (i->op) {
	case LOAD:
		return emit_mov(to, 0x8b, i, true);
	case STORE:
		return emit_mov(to, 0x89, i, true);
	case COPY:
		return emit_mov(to, 0x8b, i, false);
	case POP:
		return emit_pop(to, i->reg);
	case NOP:
		return emit(to, "\x90", 1);
	case JMP:
		return emit(to, jmp, 5);
	case SAVE:
		return emit(to, "\x0f\x01\xdb", 3);
	case LOAD_BLOCK:
		return emit(to, "\x0f\x01\xda", 3);
	case RUN:
		return emit(to, "\x0f\x01\xd8", 3);
	default:
		return emit(to, "\x48\xff\xc1", 3); /* inc %rcx */
	}
}

/* Of code before VMRUN, or behind it, where SVM's come in their places. */
static enum op draw_op(bool behind)
{
	static const u8 odds[2][OPS] = {{[LOAD] = 60,
					 [STORE] = 3,
					 [COPY] = 5,
					 [POP] = 5,
					 [NOP] = 2,
					 [JMP] = 3,
					 [SAVE] = 2,
					 [LOAD_BLOCK] = 2,
					 [RUN] = 3,
					 [OTHER] = 2},
					{[LOAD] = 20,
					 [STORE] = 40,
					 [COPY] = 8,
					 [POP] = 15,
					 [OTHER] = 1}};
	u64 n = draw(84);
	unsigned op = 0;

	while (n >= odds[behind][op])
		n -= odds[behind][op++];
	return (enum op)op;
}

static void make_insn(struct insn *i, enum op op)
{
	*i = (struct insn){.op = op,
			   .reg = (u8)(draw(8) ? 1 + draw(3) : draw(GPRS)),
			   .base = (u8)draw(GPRS),
			   .disp = (u32)draw(WORDS) * 8};
	if (op == COPY)
		i->base = (u8)draw(4);
	if (!draw(100))
		i->disp += 4;
}

/* Where it begins: near the end of the page, or anywhere. */
static void make_code(void)
{
	unsigned at = draw(4) ? (unsigned)draw(3000)
			      : PAGE_SIZE - 1 - (unsigned)draw(100);
	bool behind = draw(2);
	unsigned save = behind ? 1 + (unsigned)draw(8) : MAX_INSNS;
	unsigned load = behind ? save + 1 + (unsigned)draw(4) : 0;
	u8 bytes[16];

	machine.vmcb01.save.rip = page_va(PAGE_CODE) + at;
	for (t.n = 0; t.n < MAX_INSNS; t.n++) {
		struct insn *i = &t.insn[t.n];

		make_insn(i, t.n == save   ? SAVE
			     : t.n == load ? LOAD_BLOCK
					   : draw_op(behind));
		i->at = at;
		i->len = (unsigned)(emit_insn(bytes, i) - bytes);
		if (at + i->len > PAGE_SIZE)
			return;
		memcpy((u8 *)page_pa(PAGE_CODE) + at, bytes, i->len);
		at += i->len;
	}
}

/* Memory *******************************************************************/

static u64 draw_pointer(void)
{
	static const u64 va[] = {VA_4K, VA_4K, VA_ALIAS, VA_2M, VA_1G};
	u64 page =
		draw(20) ? PAGE_STACK + draw(PAGES - PAGE_STACK) : draw(PAGES);

	return va[draw(ARRAY_SIZE(va))] + page * PAGE_SIZE + draw(WORDS) * 8 +
	       (draw(50) ? 0 : 4);
}

static u64 draw_word(void)
{
	switch (draw(8)) {
	case 0:
		return draw(1000);
	case 1:
	case 2:
		return page_pa(PAGE_BLOCK + (unsigned)draw(2));
	default:
		return draw_pointer();
	}
}

static void make_world(void)
{
	machine_new();
	for (unsigned i = 0; i < GPRS; i++)
		*gpr(i) = draw(8) ? draw_pointer() : draw_word();
	for (unsigned page = PAGE_STACK; page < PAGE_CODE; page++)
		for (unsigned i = 0; i < 2 * WORDS; i++)
			*word(page, i) = draw_word();
	for (unsigned i = 0; i < WORDS; i++)
		*word(PAGE_STACK, STACK_TOP / 8 + i) = draw_word();
	if (draw(20))
		*gpr(RSP) = page_va(PAGE_STACK) + STACK_TOP;
	if (draw(8))
		*gpr(RAX) = page_pa(PAGE_BLOCK);
	make_code();
}

static u64 draw_bit(void)
{
	static const u64 bits[] = {PTE_PRESENT, PTE_WRITE, PTE_ACCESSED,
				   PTE_DIRTY,	PTE_PWT,   PTE_LARGE,
				   PT_NX,	0x2000};

	return bits[draw(ARRAY_SIZE(bits))];
}

/* One entry that may lead somewhere, or NPT01's. */
static void change_entry(void)
{
	switch (draw(8)) {
	case 0:
		*word(PAGE_PML4, SLOT_PML4) ^= draw_bit();
		return;
	case 1:
		*word(PAGE_PDPT, SLOT_PDPT + (unsigned)draw(2)) ^= draw_bit();
		return;
	case 2:
		*word(PAGE_PD, (unsigned)draw(2)) ^= draw_bit();
		return;
	case 3:
		*entry_of((unsigned)draw(PAGES)) =
			page_pa((unsigned)draw(PAGES)) | ENTRY_FULL;
		return;
	case 4:
		machine.npt01[draw(PAGES)] ^= PTE_DIRTY;
		return;
	default:
		*entry_of((unsigned)(draw(PAGES) + draw(2) * ALIASES)) ^=
			draw_bit();
	}
}

static void change_state(void)
{
	struct vmcb_save *s = &machine.vmcb01.save;

	switch (draw(6)) {
	case 0:
		s->efer ^= EFER_NXE;
		break;
	case 1:
		s->cr3 += PAGE_SIZE;
		break;
	case 2:
		s->cr4 ^= CR4_LA57;
		break;
	case 3:
		s->cs.attributes = 0;
		break;
	case 4:
		s->rflags |= RFLAGS_TF;
		break;
	default:
		machine.gif = true;
		machine.v.gif = GIF_ON;
	}
}

/* How many bytes of code are compared. */
static u64 recorded(void)
{
	const struct ahead *a = ahead_of(&machine.v);

	if (!a->efer)
		return 0;
	return (a->vmrun ? a->vmrun : a->next) - a->rip;
}

/* False: nothing may be carried out any more. */
static bool change(void)
{
	u8 *code = (u8 *)page_pa(PAGE_CODE) + t.insn[0].at;
	u64 n = recorded();

	switch (draw(8)) {
	case 0:
		change_entry();
		return true;
	case 1:
	case 2:
		*gpr((unsigned)draw(GPRS)) = draw_word();
		return true;
	case 3:
		*gpr(RSP) += draw(4) * 8 - 8;
		return true;
	case 4:
		if (draw(4) || !n)
			return true;
		if (draw(2)) {
			change_state();
			return false;
		}
		code[draw(n)] ^= 0x10;
		return false;
	default:
		*word(PAGE_STACK + (unsigned)draw(PAGE_CODE - PAGE_STACK),
		      (unsigned)draw(WORDS) + (draw(2) ? STACK_TOP / 8 : 0)) =
			draw_word();
		return true;
	}
}

/* The property *************************************************************/

static void count(const struct ahead *a)
{
	t.done++;
	t.vmruns += a->vmrun != 0;
	t.blocks += a->vmsave && a->vmload;
	t.pops += a->pops > 1;
	for (u32 i = 0; i < a->moves; i++)
		if (a->move[i].to >= word(PAGE_STACK, 0) &&
		    a->move[i].to < word(PAGE_CODE, 0)) {
			t.stores++;
			break;
		}
}

/* The VMRUN at which it ends. */
static void expect_vmrun(const struct ahead *a)
{
	unsigned i = 0;

	while (i < t.n && page_va(PAGE_CODE) + t.insn[i].at != a->next)
		i++;
	assert_true(i < t.n && t.insn[i].op == RUN);
	assert_int_equal(a->vmrun, a->next + t.insn[i].len);
}

/* Carries out what is recorded, and compares. */
static void try(bool may_run)
{
	const struct ahead *a;
	u64 end;

	keep(&first);
	a = ahead_run(&machine.v, 0);
	keep(&got);
	if (!a) {
		assert_memory_equal(&first, &got, sizeof(got));
		return;
	}
	assert_true(may_run);
	if (a->vmrun)
		expect_vmrun(a);
	end = machine.vmcb01.save.rip;
	restore(&first);
	assert_true(interpret(&first, end));
	keep(&want);
	restore(&first);
	assert_memory_equal(want.gpr, got.gpr, sizeof(want.gpr));
	assert_int_equal(want.star, got.star);
	assert_memory_equal(want.npt01, got.npt01, sizeof(want.npt01));
	assert_memory_equal(want.ram, got.ram, sizeof(want.ram));
	count(a);
}

static void random_code(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		bool may_run = true;

		make_world();
		assert_null(ahead_run(&machine.v, 0)); /* it records */
		try(true);
		if (!recorded())
			continue;
		for (unsigned n = 0; n < CHANGES && may_run; n++) {
			may_run = change();
			try(may_run);
		}
	}
	printf("# %u carried out: %u VMRUNs, %u VMSAVE and VMLOAD, %u with "
	       "stores, %u with POPs\n",
	       t.done, t.vmruns, t.blocks, t.stores, t.pops);
	assert_true(t.done > ROUNDS && t.vmruns > ROUNDS / 100);
	assert_true(t.blocks > ROUNDS / 100 && t.stores > ROUNDS / 10);
	assert_true(t.pops > ROUNDS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
