/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/mmu.h"

#include <stdlib.h>
#include <string.h>

#include "walk/cache_inline.h"

/* Memory for a design, in a list. */
struct block {
	struct block *next;
	char data[] __attribute__((aligned(64)));
};

/* An array of a design's, in a list that lies in such memory itself. */
struct owned {
	struct owned *next;
	struct assoc *assoc;
};

u32 mmu_ref(struct mmu *m, unsigned step, hpa_t pa)
{
	enum hit hit = cache_walk(m->core, pa.v >> LINE_SHIFT);

	m->stats->ref_hit[step][hit]++;
	return m->core->machine->cycles[hit];
}

void mmu_prefetch(struct mmu *m, hpa_t pa)
{
	cache_walk(m->core, pa.v >> LINE_SHIFT);
	m->stats->prefetches++;
}

void mmu_ahead(struct mmu *m, hpa_t pa)
{
	assoc_prefetch(m->core->l3, pa.v >> LINE_SHIFT);
	assoc_prefetch(&m->core->l2, pa.v >> LINE_SHIFT);
}

void cache_evict(struct machine *m, u64 line)
{
	for (u32 i = 0; i < m->cores; i++) {
		struct assoc *const above[] = {&m->core[i].l1i, &m->core[i].l1d,
					       &m->core[i].l2};

		for (size_t k = 0; k < ARRAY_SIZE(above); k++)
			assoc_drop(above[k], (u32)line & above[k]->mask,
				   (u32)(line >> above[k]->shift));
	}
}

void *mmu_alloc(struct mmu *m, size_t size)
{
	size_t all = (sizeof(struct block) + size + 63) / 64 * 64;
	struct block *b = aligned_alloc(64, all);

	if (!b)
		return NULL;
	memset(b, 0, all);
	b->next = m->core->blocks;
	m->core->blocks = b;
	return b->data;
}

int mmu_assoc(struct mmu *m, struct assoc *a, const struct geometry *g,
	      struct err *err)
{
	struct owned *o = mmu_alloc(m, sizeof(*o));

	if (!o)
		return err_set(err, "out of memory");
	if (assoc_init(a, g->entries ? g->entries / g->ways : 0, g->ways,
		       g->policy, err))
		return -1;
	o->assoc = a;
	o->next = m->core->owned;
	m->core->owned = o;
	return 0;
}

void mmu_free(struct mmu *m)
{
	struct core *c = m->core;

	if (!c)
		return;
	for (struct owned *o = c->owned; o; o = o->next)
		assoc_free(o->assoc);
	for (struct block *b = c->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
}

void mmu_charge(struct mmu *m, enum charge cause, u64 times, u64 instructions)
{
	m->stats->charge_times[cause] += times;
	m->stats->charge_instructions[cause] += instructions;
}
