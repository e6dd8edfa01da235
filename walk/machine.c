/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/machine.h"

#include <stdlib.h>
#include <string.h>

static int init_one(struct assoc *a, const struct geometry *g, struct err *err)
{
	return assoc_init(a, g->entries ? g->entries / g->ways : 0, g->ways,
			  g->policy, err);
}

static int init_tlbs(struct core *c, const struct profile *p, struct err *err)
{
	for (int s = 0; s < PAGE_SIZES; s++) {
		bool shared = p->stlb_shared[s];

		c->stlb_of[s] = &c->stlb[shared ? SIZE_4K : s];
		if (init_one(&c->itlb[s], &p->itlb[s], err) ||
		    init_one(&c->dtlb[s], &p->dtlb[s], err) ||
		    (!shared && init_one(&c->stlb[s], &p->stlb[s], err)))
			return -1;
	}
	return 0;
}

static int init_core(struct core *c, struct machine *m, struct err *err)
{
	const struct profile *p = m->profile;

	c->machine = m;
	c->l3 = &m->l3;
	c->mmu.profile = p;
	c->mmu.core = c;
	if (init_tlbs(c, p, err) || init_one(&c->l1i, &p->l1i, err) ||
	    init_one(&c->l1d, &p->l1d, err) || init_one(&c->l2, &p->l2, err))
		return -1;
	return 0;
}

int machine_init(struct machine *m, const struct profile *p, u32 cores,
		 struct err *err)
{
	*m = (struct machine){
		.profile = p,
		.l3_inclusive = p->l3_inclusive,
		.pte_entry = p->pte_entry,
		.cycles = {p->l1d.cycles, p->l2.cycles, p->l3.cycles,
			   p->memory_cycles},
	};
	m->core = calloc(cores, sizeof(*m->core));
	if (!m->core)
		return err_set(err, "out of memory");
	m->cores = cores;
	if (init_one(&m->l3, &p->l3, err))
		return -1;
	for (u32 i = 0; i < cores; i++)
		if (init_core(&m->core[i], m, err))
			return -1;
	return 0;
}

static void free_core(struct core *c)
{
	for (int s = 0; s < PAGE_SIZES; s++) {
		assoc_free(&c->itlb[s]);
		assoc_free(&c->dtlb[s]);
		assoc_free(&c->stlb[s]);
	}
	assoc_free(&c->l1i);
	assoc_free(&c->l1d);
	assoc_free(&c->l2);
	mmu_free(&c->mmu);
}

void machine_free(struct machine *m)
{
	for (u32 i = 0; i < m->cores; i++)
		free_core(&m->core[i]);
	free(m->core);
	assoc_free(&m->l3);
}

static void drop_page(struct assoc *tlb, u64 page, enum page_size size)
{
	assoc_drop(tlb, (u32)page & tlb->mask, tlb_tag(tlb, page, size));
}

void machine_drop_page(struct machine *m, va_t va, enum page_size size)
{
	u64 page = va.v >> size_shift(size);

	for (u32 i = 0; i < m->cores; i++) {
		struct core *c = &m->core[i];

		drop_page(&c->itlb[size], page, size);
		drop_page(&c->dtlb[size], page, size);
		drop_page(c->stlb_of[size], page, size);
	}
}

void core_flush_tlbs(struct core *c)
{
	for (int s = 0; s < PAGE_SIZES; s++) {
		assoc_flush(&c->itlb[s]);
		assoc_flush(&c->dtlb[s]);
		assoc_flush(&c->stlb[s]);
	}
}

static bool core_check(const struct core *c)
{
	for (int s = 0; s < PAGE_SIZES; s++)
		if (!assoc_check(&c->itlb[s]) || !assoc_check(&c->dtlb[s]) ||
		    !assoc_check(&c->stlb[s]))
			return false;
	return assoc_check(&c->l1i) && assoc_check(&c->l1d) &&
	       assoc_check(&c->l2);
}

bool machine_check(const struct machine *m)
{
	for (u32 i = 0; i < m->cores; i++)
		if (!core_check(&m->core[i]))
			return false;
	return assoc_check(&m->l3);
}
