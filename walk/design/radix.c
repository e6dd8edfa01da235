/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page tables of x86-64, as the hardware walks them today.
 *
 * Native: the levels of one tree, from the one on that the page-walk caches
 * leave. Under a hypervisor each entry of the guest's tree has a guest physical
 * address, for which the host's tree is walked first, and the page's own comes
 * last; (g + 1)(h + 1) - 1 references if nothing is cached:
 *
 *            hL4 hL3 hL2 hL1  gL4
 *            hL4 hL3 hL2 hL1  gL3
 *            hL4 hL3 hL2 hL1  gL2      guest PWC: from which line on
 *            hL4 hL3 hL2 hL1  gL1      nested PWC: from which column on
 *            hL4 hL3 hL2 hL1  (page)   nested TLB: whether only the last one
 *
 * Nested: the same, where the guest's tree is L2's and the host's is L0's
 * shadow of L1's and its own tables. L1's tables are write protected for that:
 * each entry that L1 writes is an exit, and L2's first access to what it maps
 * another, since the shadow lacks it.
 */
#include "walk/designs.h"
#include "walk/radix.h"

struct radix {
	struct tree guest, host; /* native: only guest */
	struct assoc ntlb;
	u32 ntlb_cycles;
};

static int start(struct mmu *m, struct err *err)
{
	const struct profile *p = m->profile;
	struct radix *r = mmu_alloc(m, sizeof(*r));

	if (!r)
		return err_set(err, "out of memory");
	m->design_state = r;
	if (m->env == ENV_NESTED && m->design == &design_radix)
		space_keep_shadows(m->space, 1, 1);
	r->ntlb_cycles = p->ntlb.entries ? p->ntlb.cycles : 0;
	if (tree_start(m, &r->guest, space_dim(m->space, 0), p->pwc, err) ||
	    tree_start(m, &r->host,
		       m->env == ENV_NESTED ? space_nested_shadow(m->space)
					    : space_dim(m->space, 1),
		       p->npwc, err))
		return -1;
	return mmu_assoc(m, &r->ntlb, &p->ntlb, err);
}

/* The nested TLB has entries of whole host pages. */
static inline bool ntlb_hits(struct radix *r, u64 gpa, enum page_size size)
{
	u64 page = gpa >> size_shift(size);

	return assoc_touch(&r->ntlb, (u32)page & r->ntlb.mask,
			   (u32)(page >> r->ntlb.shift) | (u32)size << 30,
			   NULL);
}

/* From a guest physical to a host physical address, which goes to *@pa. */
static inline u32 walk_host(struct mmu *m, u64 gpa, unsigned step, hpa_t *pa)
{
	struct radix *r = m->design_state;
	struct mapping to = dim_map(r->host.dim, gpa);

	pa->v = to.out;
	if (ntlb_hits(r, gpa, to.size))
		return r->ntlb_cycles;
	return r->ntlb_cycles + tree_walk(m, &r->host, gpa, to.size, step);
}

static u32 walk_both(struct mmu *m, u64 va)
{
	struct radix *r = m->design_state;
	struct mapping to = dim_map(r->guest.dim, va);
	u32 leaf = 1 + to.size, cycles = r->guest.pwc_cycles;
	u32 level = tree_first_level(&r->guest, va, leaf);
	hpa_t pa;

	for (; level >= leaf; level--) {
		unsigned step = (RADIX_TOP - level) * (RADIX_TOP + 1);

		cycles += walk_host(m, dim_entry(r->guest.dim, va, level), step,
				    &pa);
		cycles += mmu_ref(m, step + RADIX_TOP, pa);
	}
	return cycles + walk_host(m, to.out, RADIX_TOP * (RADIX_TOP + 1), &pa);
}

static u32 walk(struct mmu *m, va_t va)
{
	struct radix *r = m->design_state;

	if (m->env != ENV_NATIVE)
		return walk_both(m, va.v);
	return tree_walk(m, &r->guest, va.v, dim_map(r->guest.dim, va.v).size,
			 0);
}

/* The leaf entries are what no cache of the model keeps for long. */
static void ahead(struct mmu *m, va_t va)
{
	struct radix *r = m->design_state;
	struct mapping to = dim_map(r->guest.dim, va.v);
	u64 entry = dim_entry(r->guest.dim, va.v, 1 + to.size);

	if (m->env != ENV_NATIVE) {
		const struct dim *host = r->host.dim;
		u32 leaf = 1 + dim_map(host, to.out).size;

		mmu_ahead(m, (hpa_t){dim_entry(host, to.out, leaf)});
		entry = dim_map(host, entry).out;
	}
	mmu_ahead(m, (hpa_t){entry});
}

/* Without ASIDs a load of CR3 empties the PWCs; keys tell processes apart, so
 * that with them nothing has to go. */
static void switched(struct mmu *m, u16 process)
{
	struct radix *r = m->design_state;

	(void)process;
	if (!m->profile->asids)
		tree_flush(&r->guest);
}

/* L0 keeps its shadow in step with L1's tables. Other designs that fall back to
 * this one have no shadow to keep for the rest of their walks. */
static void charge_shadow(struct mmu *m, const struct space_change *c)
{
	if (m->env != ENV_NESTED || m->design != &design_radix || c->dim != 1)
		return;
	if (c->what == SPACE_MAPPED || c->what == SPACE_TABLE)
		mmu_charge(m, CHARGE_TABLE_WRITE, 1, 0);
	if (c->what == SPACE_MAPPED)
		mmu_charge(m, CHARGE_SHADOW_FILL, 1, 0);
}

/* INVLPG and INVEPT also drop what the PWCs and the nested TLB have. */
static void changed(struct mmu *m, const struct space_change *c)
{
	struct radix *r = m->design_state;

	charge_shadow(m, c);
	if (c->what != SPACE_UNMAPPED)
		return;
	if (c->dim == 0) {
		tree_drop(&r->guest, c->in);
		return;
	}
	tree_flush(&r->host);
	assoc_flush(&r->ntlb);
}

static const char *const steps_native[] = {RADIX_STEPS_NATIVE, NULL};
static const char *const steps_both[] = {RADIX_STEPS_BOTH, NULL};

const struct design design_radix = {
	.name = "radix",
	.summary = "x86-64 page tables, page-walk caches, nested paging",
	.paper = "AMD64 manual vol. 2, 5.3 and 15.25",
	.steps = {steps_native, steps_both, steps_both},
	.start = start,
	.walk = walk,
	.ahead = ahead,
	.changed = changed,
	.switched = switched,
};
