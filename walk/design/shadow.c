/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow paging: the hypervisor keeps one tree of virtual to host physical
 * addresses, made of the guest's tables and its own. A walk is as short as a
 * native one; the price is that the guest's tables are write protected, and
 * that the hypervisor has to see what the guest does to its TLB.
 *
 * Exits, by what the OS model tells (AMD64 manual vol. 2, 15.25.1 has nested
 * paging's list of what it saves):
 *
 *   page mapped    #PF, which the guest gets; its write of the entry; #PF
 *                  again, since the shadow lacks the page
 *   table linked   the write
 *   page unmapped  the write; INVLPG
 *   page changed   the write; INVLPG; #PF, since the shadow's entry went
 *   more than 33 pages at once: one CR3 load instead of as many INVLPGs
 *                  (Linux's tlb_single_page_flush_ceiling)
 *   other process  the CR3 load
 *
 * The exits by which hypervisors give the guest memory that it has not had
 * before are counted besides, as for all designs (mmu_charge_fault()).
 *
 * In nested L1 shadows L2's tables, and L0 what L1 made: each exit of L2 goes
 * to L1, which changes a shadow that L0 has to follow, so that there are two of
 * each at least. What L1 runs in between is not counted.
 *
 * Simplification: the hypervisor writes all entries at once; KVM lets the
 * guest's last level be out of step until the next INVLPG or CR3 load.
 */
#include "walk/designs.h"
#include "walk/radix.h"

#define FLUSH_CEILING 33

static int start(struct mmu *m, struct err *err)
{
	struct tree *t = mmu_alloc(m, sizeof(*t));

	if (!t)
		return err_set(err, "out of memory");
	m->design_state = t;
	space_keep_shadows(m->space, 0, m->env); /* virt 1, nested 2 */
	return tree_start(m, t, space_shadow(m->space), m->profile->pwc, err);
}

static u32 walk(struct mmu *m, va_t va)
{
	struct tree *t = m->design_state;

	return tree_walk(m, t, va.v, dim_map(t->dim, va.v).size, 0);
}

static void ahead(struct mmu *m, va_t va)
{
	const struct tree *t = m->design_state;
	u32 leaf = 1 + dim_map(t->dim, va.v).size;

	mmu_ahead(m, (hpa_t){dim_entry(t->dim, va.v, leaf)});
}

static void exits(struct mmu *m, enum charge cause, u64 times)
{
	mmu_charge(m, cause, times * m->env, 0); /* virt 1, nested 2 */
}

static void flushed(struct mmu *m, u64 pages)
{
	if (pages <= FLUSH_CEILING) {
		exits(m, CHARGE_INVLPG, pages);
		return;
	}
	exits(m, CHARGE_CR3, 1);
	tree_flush(m->design_state);
}

static void changed(struct mmu *m, const struct space_change *c)
{
	if (c->dim != 0)
		return;
	switch (c->what) {
	case SPACE_MAPPED:
		exits(m, CHARGE_SHADOW_FILL, 2);
		exits(m, CHARGE_TABLE_WRITE, 1);
		return;
	case SPACE_TABLE:
		exits(m, CHARGE_TABLE_WRITE, 1);
		return;
	case SPACE_WRITTEN:
		exits(m, CHARGE_SHADOW_FILL, 1);
		exits(m, CHARGE_TABLE_WRITE, 1);
		tree_drop(m->design_state, c->in);
		return;
	case SPACE_UNMAPPED:
		exits(m, CHARGE_TABLE_WRITE, 1);
		tree_drop(m->design_state, c->in);
		return;
	case SPACE_FLUSH:
		flushed(m, c->count);
		return;
	case SPACE_TEA:
	case SPACE_REGISTERS:
		return;
	}
}

static void switched(struct mmu *m, u16 process)
{
	(void)process;
	exits(m, CHARGE_CR3, 1);
	if (!m->profile->asids)
		tree_flush(m->design_state);
}

static const char *const steps[] = {"sL5", "sL4", "sL3", "sL2", "sL1", NULL};

const struct design design_shadow = {
	.name = "shadow",
	.summary = "one tree of all dimensions, kept by the hypervisor",
	.paper = "Direct Memory Translation, ASPLOS'24, section 2.1",
	.refused = {[ENV_NATIVE] = "shadow paging (ASPLOS'24, 2.1) needs a "
				   "hypervisor: natively it is radix"},
	.steps = {[ENV_VIRT] = steps, [ENV_NESTED] = steps},
	.start = start,
	.walk = walk,
	.ahead = ahead,
	.changed = changed,
	.switched = switched,
};
