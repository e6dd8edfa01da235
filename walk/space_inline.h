/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core calls for each access and each walk, and for that the layout of
 * struct space. Only the core, walk/space*.c and tests include it.
 */
#pragma once

#include "walk/key.h"
#include "walk/space.h"

struct space {
	unsigned dims;
	struct dim d[DIMS];
	struct dim shadow, nested_shadow; /* vias = 0: not there */
	enum pages pages;
	struct keys *keys;	     /* of the row */
	unsigned regions;	     /* of keys, known to `upper` */
	struct upper upper[REGIONS]; /* d[0]'s and the shadow's */
};

/* Maps the page of @va in all dimensions. */
int space_map(struct space *s, va_t va, const struct space_tell *tell);

static inline struct mapping space_translate(const struct space *s, va_t va)
{
	struct mapping m = {dim_out(&s->d[0], va.v), dim_size(&s->d[0], va.v)};

	for (unsigned i = 1; i < s->dims; i++) {
		m.size = s->d[i].size < m.size ? s->d[i].size : m.size;
		m.out = dim_out(&s->d[i], m.out);
	}
	return m;
}

static inline int space_touch(struct space *s, va_t va,
			      const struct space_tell *tell)
{
	if (dim_mapped(&s->d[0], va.v))
		return 0;
	return space_map(s, va, tell);
}
