/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records what ahead.c carries out: goes through L1's code from its RIP on, as
 * it would be executed now, and notes which words that depends on.
 */
#include "hv/code.h"
#include "hv/mem.h"
#include "hv/space.h"
#include "hv/svm/ahead.h"
#include "lib/string.h"
#include "lib/svm_insn.h"
#include "lib/x86.h"
#include "lib/x86dec.h"

#define MAX_INSNS  32
#define NOP	   0x90
#define JMP_SHORT  0xeb
#define REX_B	   0x41
#define POP	   0x58		 /* and the register */
#define OFFSET_2M  0x001fe000ull /* of a large page's entry: must be 0 */
#define OFFSET_1G  0x3fffe000ull
#define LEAF	   3
#define PDPT	   1
#define NO_EXECUTE (1ull << 63)

/* A register: its value now and the word it comes from, which may be its own
 * place or L0's. */
struct known {
	u64 value;
	const u64 *from;
	bool is_fixed; /* it is always this */
};

struct record {
	struct vcpu *v;
	struct vmcb_save *s;
	struct ahead *a;
	const u8 *page; /* of the code ... */
	u64 at;		/* ... and where in it the next instruction is */
	struct known known[GPRS];
};

static u64 *slot(const struct record *r, unsigned reg)
{
	if (reg == RAX)
		return &r->s->rax;
	return reg == RSP ? &r->s->rsp : &r->v->regs.gpr[reg];
}

static bool add_guard(struct ahead *a, const u64 *at, u64 value)
{
	for (u32 i = 0; i < a->guards; i++)
		if (a->guard[i].at == at)
			return a->guard[i].value == value;
	if (a->guards == AHEAD_GUARDS - 2 * (AHEAD_AT_ONCE - 1))
		return false;
	a->guard[a->guards++] = (struct ahead_guard){at, value};
	return true;
}

/* The entries that lead to a page. */
static bool add_entries(struct ahead *a, const struct code_page *p)
{
	for (unsigned i = 0; i <= LEAF; i++) {
		u32 guards = a->guards;

		if (!add_guard(a, p->entry[i], p->value[i]))
			return false;
		if (a->guards != guards)
			a->entries |= 1u << guards;
	}
	return true;
}

/* From here on register @reg has to be what it is. A word of memory is read
 * once, by the guard. */
static bool rely_on(struct record *r, u8 reg)
{
	struct known *k = &r->known[reg];
	struct ahead *a = r->a;

	if (k->is_fixed)
		return true;
	if (a->fixes == AHEAD_FIXED || !add_guard(a, k->from, k->value))
		return false;
	if (k->from != slot(r, reg)) {
		a->fixed[a->fixes] = k->value;
		k->from = &a->fixed[a->fixes++];
	}
	k->is_fixed = true;
	return true;
}

/* Each instruction makes one at most. */
static void add_move(struct ahead *a, u64 *to, const u64 *from)
{
	_Static_assert(MAX_INSNS <= AHEAD_MOVES, "or there is no room");
	a->move[a->moves++] = (struct ahead_move){to, from, 1};
}

/* What not each CPU takes for an entry (APM vol. 2, 5.3 and 5.4). */
static bool is_reserved(const struct record *r, const struct code_page *p)
{
	u64 pdpte = p->value[PDPT], leaf = p->value[LEAF];
	u64 any = p->value[0] | pdpte | p->value[2] | leaf;

	if (p->value[0] & PTE_LARGE ||
	    (any & NO_EXECUTE && !(r->s->efer & EFER_NXE)))
		return true;
	if (pdpte & PTE_LARGE)
		return pdpte & OFFSET_1G; /* L0 needs such pages itself */
	return p->entry[LEAF - 1] == p->entry[LEAF] && leaf & OFFSET_2M;
}

/* A supervisor may do it, and nothing has to be set in the tables. */
static bool is_open(const struct record *r, const struct code_page *p,
		    bool write)
{
	u64 wanted = PTE_PRESENT | PTE_ACCESSED | (write ? PTE_WRITE : 0);
	u64 all = p->value[0] & p->value[1] & p->value[2] & p->value[3];

	return (all & (wanted | PTE_USER)) == wanted && !is_reserved(r, p) &&
	       (!write || p->value[LEAF] & PTE_DIRTY);
}

/* L1's write is one that NPT01 lets through, and leaves no trace there. */
static bool is_noted(struct record *r, const void *page)
{
	unsigned level;
	const u64 *entry = space_entry(virt_to_phys(page), &level);
	const u64 wanted = PTE_PRESENT | PTE_WRITE | PTE_DIRTY;

	return page != r->page && (*entry & wanted) == wanted &&
	       add_guard(r->a, entry, *entry);
}

/* Where L0 finds the word at @va of L1's. NULL: the CPU has to look. */
static u64 *find_word(struct record *r, u64 va, bool write)
{
	struct code_page p = {0};

	if (va % sizeof(u64) || (u64)((int64_t)(va << 16) >> 16) != va ||
	    !code_find(r->v, &p, r->s->cr3, va) || !is_open(r, &p, write) ||
	    !space_writable(virt_to_phys(p.bytes), PAGE_SIZE) ||
	    (write && !is_noted(r, p.bytes)))
		return NULL;
	if (!add_entries(r->a, &p))
		return NULL;
	return (u64 *)(u64)(p.bytes + va % PAGE_SIZE);
}

static u64 page_of(const void *p)
{
	return (u64)p & PT_ADDR;
}

/* Whether one of the moves changes it. */
static bool is_changed(const struct ahead *a, const u64 *word)
{
	for (u32 i = 0; i < a->moves; i++)
		if (a->move[i].to == word)
			return true;
	return false;
}

/* Whether a register is to be loaded from it. */
static bool is_loaded(const struct record *r, const u64 *word)
{
	for (unsigned reg = 0; reg < GPRS; reg++)
		if (r->known[reg].from == word)
			return true;
	return false;
}

/* Whether one of the moves, or VMSAVE, changes something in its page. */
static bool page_is_changed(const struct ahead *a, const void *p)
{
	for (u32 i = 0; i < a->moves; i++)
		if (page_of(a->move[i].to) == page_of(p))
			return true;
	return a->vmsave == (virt_to_phys(p) & PT_ADDR) && a->vmsave;
}

/* Registers change at the end: finish(). */
static bool load(struct record *r, u8 reg, const u64 *word)
{
	struct ahead *a = r->a;

	if (!word || reg == RSP || is_changed(a, word) ||
	    (a->vmsave && page_is_changed(a, word)))
		return false;
	r->known[reg] = (struct known){.value = *word, .from = word};
	return true;
}

/* What is moved is moved before VMSAVE and VMLOAD. */
static bool store(struct record *r, u8 reg, u64 *word)
{
	if (!word || reg == RSP || r->a->vmsave || r->a->vmload ||
	    page_of(word) == page_of(r->a->stack) || is_loaded(r, word))
		return false;
	add_move(r->a, word, r->known[reg].from);
	return true;
}

/* Not of one that is still as it was: its place may change first. */
static bool copy(struct record *r, u8 to, u8 from)
{
	if (to == RSP || r->known[from].from == slot(r, from))
		return false;
	r->known[to] = r->known[from];
	return true;
}

/* RSP is what it is in this record, or elsewhere in its page. */
static bool pop(struct record *r, u8 reg)
{
	u64 rsp = r->known[RSP].value;
	const u64 *word = find_word(r, rsp, false);
	struct ahead *a = r->a;

	if (!word || reg == RSP || a->pops == AHEAD_POPS ||
	    page_is_changed(a, word))
		return false;
	if (!a->pops) {
		a->stack_va = rsp & ~(u64)(PAGE_SIZE - 1);
		a->stack = (const u8 *)word - rsp % PAGE_SIZE;
	}
	if (rsp - a->stack_va >= PAGE_SIZE)
		return false;
	a->popped[a->pops] = *word;
	r->known[reg] = (struct known){*word, &a->popped[a->pops++], true};
	r->known[RSP].value += sizeof(*word);
	return true;
}

static u64 *operand(struct record *r, const struct x86_insn *i, bool write)
{
	const struct x86_mem *m = &i->mem;

	if (m->base == X86_NO_REG || m->index != X86_NO_REG ||
	    m->rip_relative || i->addr_bytes != sizeof(u64) ||
	    (m->seg != X86_DS && m->seg != X86_SS) ||
	    (m->base == RSP && r->a->pops) || !rely_on(r, m->base))
		return NULL;
	return find_word(r, r->known[m->base].value + (u64)m->disp, write);
}

static bool mov(struct record *r, const struct x86_insn *i)
{
	bool to_rm = i->dst == X86_RM;

	if (i->op_bytes != sizeof(u64) || i->lock ||
	    (to_rm ? i->src : i->dst) != X86_REG ||
	    (to_rm ? i->dst : i->src) != X86_RM)
		return false;
	if (!i->has_mem)
		return to_rm ? copy(r, i->rm, i->reg) : copy(r, i->reg, i->rm);
	return to_rm ? store(r, i->reg, operand(r, i, true))
		     : load(r, i->reg, operand(r, i, false));
}

/* The address of the next instruction. */
static u64 rip(const struct record *r)
{
	return (r->a->rip & ~(u64)(PAGE_SIZE - 1)) + r->at;
}

/* SVM's own. The operand is a page that L1 may write to. */
static bool svm_insn(struct record *r, const struct x86_insn *i)
{
	u64 pa = r->known[RAX].value;
	struct ahead *a = r->a;

	if (i->len != SVM_INSN_LEN)
		return false;
	if (i->kind == X86_VMRUN) {
		a->vmrun = rip(r) + SVM_INSN_LEN;
		return false;
	}
	if (!pa || pa % PAGE_SIZE || pa == virt_to_phys(r->page) ||
	    !space_writable(pa, PAGE_SIZE) || a->vmload || !rely_on(r, RAX))
		return false;
	if (i->kind == X86_VMLOAD)
		a->vmload = pa;
	else if (i->kind == X86_VMSAVE && !a->vmsave)
		a->vmsave = pa;
	else
		return false;
	return true;
}

/* @len, if the code up to there can be compared, else 0. */
static unsigned fit(const struct record *r, unsigned len)
{
	u64 end = r->at + len, start = r->a->rip % PAGE_SIZE;

	return end - start <= sizeof(r->a->bytes) &&
			       end <= PAGE_SIZE - sizeof(u64)
		       ? len
		       : 0;
}

/* One instruction; what is not in x86dec.h first. Returns its length, 0: it is
 * not for us, and the CPU will execute it: nothing of it is noted. */
static unsigned step(struct record *r)
{
	const u8 *code = r->page + r->at;
	bool rex = *code == REX_B, done = false;
	u8 reg = code[rex] & 7;
	struct x86_insn i;

	if (r->at > PAGE_SIZE - X86_INSN_MAX)
		return 0;
	if (*code == NOP)
		return fit(r, 1);
	if (*code == JMP_SHORT && code[1] < 0x80)
		return fit(r, 2u + code[1]);
	if ((code[rex] & 0xf8) == POP)
		return fit(r, 1 + rex) && pop(r, rex ? R8 + reg : reg) ? 1 + rex
								       : 0;
	if (x86_decode(code, X86_INSN_MAX, X86_64, &i) != X86_OK ||
	    !fit(r, i.len))
		return 0;
	if (i.kind == X86_MOV)
		done = mov(r, &i);
	else if (i.kind >= X86_VMRUN && i.kind <= X86_VMSAVE)
		done = svm_insn(r, &i);
	return done ? i.len : 0;
}

/* Neighbours become one. */
static void join_moves(struct ahead *a)
{
	struct ahead_move *last = a->move;

	for (u32 i = 1; i < a->moves; i++) {
		const struct ahead_move *m = &a->move[i];

		if (m->to == last->to + last->words &&
		    m->from == last->from + last->words)
			last->words++;
		else
			*++last = *m;
	}
	if (a->moves)
		a->moves = (u32)(last - a->move) + 1;
}

/* Whether @before has it. */
static bool is_common(const struct ahead *before, const struct ahead_guard *g)
{
	for (u32 i = 0; i < before->guards; i++)
		if (before->guard[i].at == g->at &&
		    before->guard[i].value == g->value)
			return true;
	return false;
}

/* Adds those of @old that are common, or not, and fills up the last four. */
static void take_guards(struct ahead *a, const struct ahead *old,
			const struct ahead *before, bool common)
{
	for (u32 i = 0; i < old->guards; i++) {
		const struct ahead_guard *g = &old->guard[i];

		if ((old->entries >> i & 1 && is_common(before, g)) == common)
			a->guard[a->guards++] = *g;
	}
	for (; a->guards % AHEAD_AT_ONCE; a->guards++)
		a->guard[a->guards] = a->guard[a->guards - 1];
}

/* Guards are looked at by fours; those that @before has are the last. */
static void sort_guards(struct vcpu *v, struct ahead *a, u64 proven)
{
	static const struct ahead nothing;
	const struct ahead *before = &nothing;
	struct ahead old = *a;

	for (unsigned i = 0; i < AHEADS; i++)
		if (proven && v->ahead[i].id == proven)
			before = &v->ahead[i];
	a->guards = 0;
	take_guards(a, &old, before, false);
	a->common = &a->guard[a->guards];
	take_guards(a, &old, before, true);
	a->before = before->id;
}

static void finish(struct record *r)
{
	struct ahead *a = r->a;

	for (unsigned reg = 0; reg < GPRS; reg++)
		if (r->known[reg].from != slot(r, reg))
			add_move(a, slot(r, reg), r->known[reg].from);
	join_moves(a);
}

/* A page of code that L1 executes at CPL 0: the CPU has fetched from it. */
static bool find_code(struct record *r)
{
	struct vmcb_save *s = r->s;
	struct code_page p = {0};

	if (!(s->efer & EFER_LMA) || !(s->cs.attributes & VMCB_SEGMENT_LONG) ||
	    s->cr4 & CR4_LA57 || s->cpl || !code_find(r->v, &p, s->cr3, s->rip))
		return false;
	r->page = p.bytes;
	return add_entries(r->a, &p);
}

/* As far as it goes, in this page. VMLOAD ends what it does not begin. */
static void go(struct record *r)
{
	struct ahead *a = r->a;
	u64 start = r->at;

	for (unsigned n = 0; n < MAX_INSNS; n++) {
		u64 loaded = a->vmload;
		unsigned len = step(r);
		u64 end = r->at + (a->vmrun ? SVM_INSN_LEN : len);

		if (end == r->at)
			break;
		a->words = (u32)((end - start + 7) / sizeof(u64));
		if (a->vmrun)
			break;
		r->at = end;
		if (n && a->vmload != loaded)
			break;
	}
	a->next = rip(r);
}

void ahead_record(struct vcpu *v, struct ahead *a, u64 proven)
{
	struct vmcb_save *s = &((struct vmcb *)v->backend)->save;
	struct record r = {.v = v, .s = s, .a = a, .at = s->rip % PAGE_SIZE};

	memset(a, 0, sizeof(*a));
	a->rip = s->rip;
	if (!find_code(&r))
		return;
	for (unsigned reg = 0; reg < GPRS; reg++) {
		const u64 *at = slot(&r, reg);

		r.known[reg] = (struct known){.value = *at, .from = at};
	}
	a->cr3 = s->cr3;
	a->cr4 = s->cr4;
	go(&r);
	a->code = (const u64 *)(const void *)(r.page + a->rip % PAGE_SIZE);
	memcpy(a->bytes, a->code, a->words * sizeof(u64));
	sort_guards(v, a, proven);
	a->id = ++v->recorded;
	finish(&r);
	if (a->vmrun || a->vmload || a->vmsave)
		a->efer = s->efer; /* else it fits no L1 */
}
