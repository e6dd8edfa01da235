/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where TEAs are, and which of them the registers hold. Dimension 0 has those
 * of each process; in a dimension below all memory is one VMA of its
 * hypervisor, with one TEA, which one register holds (DMT, section 4.5).
 */
#include <string.h>

#include "walk/space_inline.h"

/* In host memory the lower half of the area is dimension 0's. */
static u64 area_of(const struct space *s, unsigned d, u64 *bytes)
{
	const struct dim *last = &s->d[s->dims - 1];

	*bytes = 1ull << (s->d[d].in_bits - 3);
	if (s->home == TEA_OWN || d == s->dims - 1)
		return dim_area(&s->d[d], AREA_TEA);
	*bytes = 1ull << (last->in_bits - 4);
	return dim_area(last, AREA_HOST_TEA) + (d ? *bytes : 0);
}

static void use_lower(struct space *s)
{
	u64 bytes;

	for (unsigned d = 1; d < s->dims; d++)
		s->lower[d] = (struct tea){.end = 1ull << s->d[d].in_bits,
					   .base = area_of(s, d, &bytes),
					   .size = s->d[d].size,
					   .present = true};
}

int space_use_teas(struct space *s, enum tea_home home, size_t registers,
		   const struct space_tell *tell, struct err *err)
{
	u64 base, bytes;

	if (s->registers || !registers)
		return 0;
	s->home = home;
	s->registers = registers < TEA_REGISTERS ? registers : TEA_REGISTERS;
	base = area_of(s, 0, &bytes);
	if (tea_area_init(&s->teas, base, bytes) < 0)
		return err_set(err, "no memory for the simulated TEAs");
	use_lower(s);
	for (unsigned i = 0; i < PROCESSES; i++)
		if (s->process[i] && space_follow(s, (u16)i, tell) < 0)
			return err_set(err, "no memory for the simulated TEAs");
	return 0;
}

/* A guest's TEAs in its own memory are zeroed as they are allocated, so that
 * all of them are mapped below. */
static int back(struct space *s, const struct teas *teas,
		const struct space_tell *tell)
{
	if (s->home == TEA_HOST || s->dims == 1)
		return 0;
	for (int size = SIZE_4K; size <= SIZE_2M; size++) {
		const struct tea_list *l = &teas->list[size];

		for (size_t i = 0; i < l->n; i++)
			if (l->t[i].present &&
			    space_back(s, 1, l->t[i].base,
				       tea_pages(&l->t[i]) << PAGE_SHIFT,
				       tell) < 0)
				return -1;
	}
	return 0;
}

int space_follow(struct space *s, u16 process, const struct space_tell *tell)
{
	struct process *p = s->process[process];
	struct tea_work work = {0};

	if (!s->registers)
		return 0;
	space_note_peak(s);
	p->teas.pages = s->pages;
	for (int size = SIZE_4K; size <= SIZE_2M; size++) {
		if (s->pages == (size ? PAGES_4K : PAGES_2M))
			continue;
		if (teas_update(&p->teas, size, &p->vmas, &s->teas, &work) < 0)
			return -1;
	}
	if ((work.calls || work.moved) && back(s, &p->teas, tell) < 0)
		return -1;
	if (work.calls || work.moved)
		space_tell(tell, &(struct space_change){.what = SPACE_TEA,
							.count = work.allocated,
							.moved = work.moved,
							.calls = work.calls});
	if (teas_load(&p->teas, s->registers))
		space_tell(tell,
			   &(struct space_change){.what = SPACE_REGISTERS});
	return 0;
}

const struct tea *space_teas(const struct space *s, unsigned d, u16 process,
			     size_t *n)
{
	const struct process *p = s->process[process];

	*n = 0;
	if (!s->registers || (!d && !p))
		return NULL;
	*n = d ? 1 : p->teas.regs;
	return d ? &s->lower[d] : p->teas.reg;
}

u64 space_gtea(const struct space *s, unsigned d, u16 process,
	       const struct tea *reg, u64 offset)
{
	const struct tea *t = &s->lower[d];

	if (!d)
		t = teas_gtea(&s->process[process]->teas, reg->gtea);
	if (!t || !t->present || offset >> PAGE_SHIFT >= tea_pages(t))
		return 0;
	return t->base + offset;
}

u64 space_address(const struct space *s, va_t va, u16 *process)
{
	*process = key_process(s->keys, va);
	return key_address(s->keys, va);
}

/* Tables in use of @t that translate addresses of the region of @first. */
static u64 tables_in(const struct space *s, const struct tea *t, va_t first)
{
	unsigned level = t->size + 1, shift = PAGE_SHIFT + 9 * level;
	u64 base = key_address(s->keys, first);
	u64 start = t->start > base ? t->start : base;
	u64 end = base + (1ull << REGION_SHIFT);

	end = t->end < end ? t->end : end;
	if (!t->present || start >= end)
		return 0;
	return bits_count(s->d[0].table[level],
			  (first.v + (start - base)) >> shift,
			  (first.v + (end - base)) >> shift);
}

void space_count_teas(const struct space *s, u64 *pages, u64 *tables)
{
	*pages = s->teas.in_use;
	*tables = 0;
	for (u64 r = 0; *pages && r < s->keys->used; r++) {
		va_t first = {r << REGION_SHIFT};
		const struct process *p =
			s->process[key_process(s->keys, first)];

		for (int size = SIZE_4K; p && size <= SIZE_2M; size++)
			for (size_t i = 0; i < p->teas.list[size].n; i++)
				*tables += tables_in(
					s, &p->teas.list[size].t[i], first);
	}
}
