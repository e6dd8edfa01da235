/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/code.h"

#include "hv/insn.h"
#include "lib/x86.h"

#define LEVELS 4

volatile u64 code_version;

static bool holds(const struct code_page *p)
{
	for (unsigned i = 0; i < LEVELS; i++)
		if (*p->entry[i] != p->value[i])
			return false;
	return true;
}

/* Below a large page there are no entries: its own stands for them. */
static const u8 *walk(const struct vcpu *v, struct code_page *p)
{
	const struct phys *memory = insn_memory(v);
	u64 table = p->cr3 & PT_ADDR, inside = 0;
	const u64 *at = NULL;

	for (unsigned i = 0, shift = 39; i < LEVELS; i++, shift -= 9) {
		if (!inside) {
			table += (p->va >> shift) % PTES_PER_TABLE * 8;
			at = phys_map(memory, table, sizeof(*at));
			if (!at || !(*at & PTE_PRESENT))
				return NULL;
			table = *at & PT_ADDR;
			if (*at & PTE_LARGE && i && i < LEVELS - 1)
				inside = (1ull << shift) - 1;
		}
		p->entry[i] = at;
		p->value[i] = *at;
	}
	table = (table & ~inside) | (p->va & inside);
	return phys_map(memory, table, PAGE_SIZE);
}

/* Apart, so that the common case needs no stack. */
static __attribute__((noinline)) bool fill(const struct vcpu *v,
					   struct code_page *p, u64 cr3,
					   u64 page)
{
	*p = (struct code_page){
		.cr3 = cr3, .va = page, .map = v->map, .version = code_version};
	p->bytes = walk(v, p);
	return p->bytes;
}

bool code_find(const struct vcpu *v, struct code_page *p, u64 cr3, u64 va)
{
	u64 page = va & ~(u64)(PAGE_SIZE - 1);

	if (p->bytes && p->va == page && p->cr3 == cr3 && p->map == v->map &&
	    p->version == code_version && holds(p))
		return true;
	return fill(v, p, cr3, page);
}

const struct code_page *code_page(struct vcpu *v, const struct guest_view *g,
				  u64 va)
{
	struct code_page *p =
		&v->code[(va / PAGE_SIZE + 4ull * v->level) % CODE_PAGES];

	if (!(g->efer & EFER_LMA) || g->cr4 & CR4_LA57)
		return NULL;
	return code_find(v, p, g->cr3, va) ? p : NULL;
}

const u8 *code_at(struct vcpu *v, const struct guest_view *g, u64 va)
{
	const struct code_page *p = code_page(v, g, va);

	return p ? p->bytes + va % PAGE_SIZE : NULL;
}
