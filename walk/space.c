/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/space.h"

#include <stdlib.h>

#include "walk/space_inline.h"

struct space *space_new(const struct walk_spec *spec, struct err *err)
{
	enum page_size host = spec->pages == PAGES_4K ? SIZE_4K : SIZE_2M;

	return space_new_host(spec, host, err);
}

static int start_dims(struct space *s, const struct walk_spec *spec,
		      enum page_size host, struct err *err)
{
	unsigned levels = spec->profile->levels;
	u64 seed = spec->seed;

	for (unsigned i = 0; i < s->dims; i++) {
		struct dim *d = &s->d[i];

		if (dim_init(d, KEY_BITS + i, levels, &seed, err) < 0)
			return -1;
		d->size = i > 0 ? host : SIZE_4K;
		if (spec->frames == FRAMES_BUDDY &&
		    dim_allocate(d, i == 0, err) < 0)
			return -1;
	}
	s->d[0].mixed = spec->pages == PAGES_THP;
	if (spec->pages == PAGES_2M)
		s->d[0].size = SIZE_2M;
	s->d[0].upper = s->upper;
	if (s->dims > 1)
		dim_compose(&s->shadow, s->d, s->dims, AREA_SHADOW);
	if (s->dims > 2)
		dim_compose(&s->nested_shadow, &s->d[1], 2, AREA_NESTED_SHADOW);
	return 0;
}

struct space *space_new_host(const struct walk_spec *spec, enum page_size host,
			     struct err *err)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(err, "no memory for the simulated memory");
		return NULL;
	}
	s->dims = spec->env + 1;
	s->pages = spec->pages;
	s->keys = spec->keys;
	s->process = calloc(PROCESSES, sizeof(struct process *));
	if (!s->process)
		err_set(err, "no memory for the simulated memory");
	else if (start_dims(s, spec, host, err) == 0)
		return s;
	space_free(s);
	return NULL;
}

void space_free(struct space *s)
{
	if (!s)
		return;
	for (unsigned i = 0; s->process && i < PROCESSES; i++) {
		if (s->process[i]) {
			vmas_free(&s->process[i]->vmas);
			teas_free(&s->process[i]->teas);
		}
		free(s->process[i]);
	}
	for (unsigned i = 0; i < s->dims; i++)
		dim_free(&s->d[i]);
	tea_area_free(&s->teas);
	free(s->process);
	free(s);
}

const struct dim *space_dim(const struct space *s, unsigned i)
{
	return i < s->dims ? &s->d[i] : NULL;
}

unsigned space_dims(const struct space *s)
{
	return s->dims;
}

const struct dim *space_shadow(const struct space *s)
{
	return s->shadow.vias ? &s->shadow : NULL;
}

const struct dim *space_nested_shadow(const struct space *s)
{
	return s->nested_shadow.vias ? &s->nested_shadow : NULL;
}

void space_keep_shadows(struct space *s, unsigned d, unsigned n)
{
	s->shadows[d] = n;
}

static u64 shadow_tables(const struct space *s)
{
	u64 tables = 0;

	for (unsigned i = 0; i < s->dims; i++)
		tables += s->shadows[i] * s->d[i].tables;
	return tables;
}

/* A page of a TEA that is a table is not counted twice. */
static u64 table_bytes(const struct space *s)
{
	u64 all, tables;

	space_count_teas(s, &all, &tables);
	all += shadow_tables(s) - tables;
	for (unsigned i = 0; i < s->dims; i++)
		all += s->d[i].tables;
	return all << PAGE_SHIFT;
}

void space_note_peak(struct space *s)
{
	u64 now = table_bytes(s);

	s->peak = now > s->peak ? now : s->peak;
}

void space_memory(const struct space *s, struct walk_memory *out)
{
	u64 pages, tables, now = table_bytes(s);

	for (unsigned i = 0; i < s->dims; i++) {
		const struct dim *d = &s->d[i];

		out->frames[i] = d->pages[SIZE_4K] << size_shift(SIZE_4K);
		out->frames[i] += d->pages[SIZE_2M] << size_shift(SIZE_2M);
		out->tables[i] = d->tables << PAGE_SHIFT;
	}
	space_count_teas(s, &pages, &tables);
	out->teas[0] = pages << PAGE_SHIFT;
	out->tables[0] += (pages - tables) << PAGE_SHIFT;
	out->extra = shadow_tables(s) << PAGE_SHIFT;
	out->peak = now > s->peak ? now : s->peak;
}
