/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/npt12.h"

#define PAE_LEVELS   3
#define PAE_ROOT     0xffffffe0ull
#define PAE_RESERVED 0x7ff0000000000000ull /* available in long mode */

/* A PDPTE has no rights and no accessed bit (APM vol. 2, 5.2.3). */
#define PDPTE_RESERVED (PT_NX | 0x1e6)
#define PDPTE_IMPLIED  (PTE_WRITE | PTE_USER | PTE_ACCESSED)

#define LARGE_LOW 0x1fffull /* of a large page, bits that are no address */

/*
 * Left out: 32-bit paging without PAE, in which no known hypervisor uses
 * nested paging and QEMU's CPU does not translate at all, and 5 levels.
 */
bool npt12_init(struct npt12 *npt, u64 ncr3, u64 cr4, u64 efer, unsigned bits)
{
	bool is_long = efer & EFER_LMA;

	if (!(cr4 & CR4_PAE) || (is_long && cr4 & CR4_LA57))
		return false;
	*npt = (struct npt12){
		.root = ncr3 & (is_long ? PT_ADDR : PAE_ROOT),
		.reserved = PT_ADDR & ~((1ull << bits) - 1),
		.levels = is_long ? PT_LEVELS : PAE_LEVELS,
		.nx = efer & EFER_NXE,
	};
	if (!is_long)
		npt->reserved |= PAE_RESERVED;
	if (!npt->nx)
		npt->reserved |= PT_NX;
	return true;
}

static bool is_pdpte(const struct npt12 *npt, unsigned level)
{
	return npt->levels == PAE_LEVELS && level == PAE_LEVELS - 1;
}

static u64 reserved(const struct npt12 *npt, unsigned level, u64 entry)
{
	if (is_pdpte(npt, level))
		return npt->reserved | PDPTE_RESERVED;
	if (level == PT_LEVELS - 1)
		return npt->reserved | PTE_LARGE;
	if (level && entry & PTE_LARGE)
		return npt->reserved | ((pt_span(level) - 1) & ~LARGE_LOW);
	return npt->reserved;
}

u64 npt12_entry(const struct npt12 *npt, unsigned level, u64 raw)
{
	if (!(raw & PTE_PRESENT) || raw & reserved(npt, level, raw))
		return 0;
	return is_pdpte(npt, level) ? raw | PDPTE_IMPLIED : raw;
}

/* Sets @bits where *@seen was read. False: there is another entry now, and
 * *@seen is it. */
static bool mark(u64 *at, u64 *seen, u64 bits)
{
	u64 marked = *seen | bits;

	if (marked == *seen)
		return true;
	if (!__atomic_compare_exchange_n(at, seen, marked, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	*seen = marked;
	return true;
}

/* A walk on its way. Rights are those bits of PTE_WRITE and PTE_USER that all
 * levels have, and PT_NX if none has it. */
struct walk {
	const struct npt12 *npt;
	u64 access, needs;
	struct npt12_path *path;
};

static bool fail(const struct walk *w, u64 why)
{
	w->path->error = (w->access & NPF_WRITE) | NPF_USER | why;
	if (w->access & NPF_FETCH && w->npt->nx)
		w->path->error |= NPF_FETCH;
	return false;
}

/* Takes the entry of @level that is at @at; NULL: no memory there. */
static bool step(const struct walk *w, unsigned level, u64 *at, u64 *rights)
{
	u64 raw = at ? __atomic_load_n(at, __ATOMIC_RELAXED) : ~0ull;
	u64 entry, all, bits;

	do {
		if (!(raw & PTE_PRESENT))
			return fail(w, 0);
		entry = npt12_entry(w->npt, level, raw);
		if (!entry)
			return fail(w, NPF_PRESENT | NPF_RESERVED);
		all = *rights & (entry ^ PT_NX);
		bits = is_pdpte(w->npt, level) ? 0 : PTE_ACCESSED;
		if (npt_is_page(level, entry)) {
			if (w->needs & ~all)
				return fail(w, NPF_PRESENT);
			if (w->access & NPF_WRITE)
				bits |= PTE_DIRTY;
		}
	} while (!mark(at, &raw, bits));
	*rights = all;
	w->path->entry[level] = entry | bits;
	return true;
}

/* Nothing is mapped beyond what the tables' levels can express. */
static bool is_beyond(const struct npt12 *npt, u64 l2pa)
{
	return l2pa >> (npt->levels == PAE_LEVELS ? 32 : 48);
}

static u64 *entry_at(const struct phys *l1, u64 table, unsigned level, u64 l2pa)
{
	u64 index = l2pa / pt_span(level) % PTES_PER_TABLE;

	return (u64 *)(u64)phys_map(l1, table + index * sizeof(u64),
				    sizeof(u64));
}

bool npt12_walk(const struct phys *l1, const struct npt12 *npt, u64 l2pa,
		u64 access, struct npt12_path *path)
{
	struct walk w = {npt, access, PTE_USER, path};
	u64 rights = PTE_WRITE | PTE_USER | PT_NX, table = npt->root;

	if (access & NPF_WRITE)
		w.needs |= PTE_WRITE;
	if (access & NPF_FETCH)
		w.needs |= PT_NX;
	if (is_beyond(npt, l2pa))
		return fail(&w, 0);
	for (unsigned level = npt->levels - 1u;; level--) {
		path->table[level] = table;
		if (!step(&w, level, entry_at(l1, table, level, l2pa), &rights))
			return false;
		table = path->entry[level] & PT_ADDR;
		if (npt_is_page(level, path->entry[level])) {
			path->leaf = level;
			path->l1pa = npt_page(level, path->entry[level]) |
				     (l2pa & (pt_span(level) - 1));
			return true;
		}
	}
}

bool npt12_translate(const struct phys *l1, const struct npt12 *npt, u64 l2pa,
		     bool write, u64 *l1pa)
{
	struct npt12_path path = {.leaf = 0};

	if (!npt12_walk(l1, npt, l2pa, write ? NPF_WRITE : 0, &path))
		return false;
	*l1pa = path.l1pa;
	return true;
}
