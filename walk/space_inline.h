/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core calls for each access and each walk, and for that the layout of
 * struct space. Only the core, walk/space*.c and tests include it.
 */
#pragma once

#include "walk/key.h"
#include "walk/space.h"
#include "walk/vma.h"

/* An address space of the program. */
struct process {
	struct vmas vmas;
	struct teas teas;
};

#define PROCESSES 65536 /* numbers of the trace's */

struct space {
	unsigned dims;
	struct dim d[DIMS];
	struct dim shadow, nested_shadow; /* vias = 0: not there */
	enum pages pages;
	struct keys *keys;	     /* of the row */
	unsigned regions;	     /* of keys, known to `upper` */
	struct upper upper[REGIONS]; /* d[0]'s and the shadow's */
	struct process **process;    /* by number; NULL = not seen */
	u64 peak;		     /* of table memory, when last noted */
	unsigned shadows[DIMS];	     /* of each dimension's tables */
	u32 objects;		     /* given to VMAs so far */
	enum tea_home home;
	size_t registers;	/* of a set; 0: no TEAs */
	struct tea_area teas;	/* of dimension 0 */
	struct tea lower[DIMS]; /* the register of each dimension below */
};

/* The process of that number; NULL if there is no memory for it. */
struct process *space_process(struct space *s, u16 number);

static inline void space_tell(const struct space_tell *t,
			      const struct space_change *c)
{
	if (t)
		t->changed(t->ctx, c);
}

/* Maps the page of @va in all dimensions. < 0, as all of these: no frames, or
 * no memory. */
int space_map(struct space *s, va_t va, const struct space_tell *tell);

/* TEAs and registers of @process after its VMAs have changed. */
int space_follow(struct space *s, u16 process, const struct space_tell *tell);

/* Notes how much memory tables take, before some of them go. */
void space_note_peak(struct space *s);

/* Of dimension 0: pages of TEAs, and tables in use that are in them. */
void space_count_teas(const struct space *s, u64 *pages, u64 *tables);

/* mremap() brings the page of @from to @to. */
int space_bring(struct space *s, u64 from, u64 to, enum page_size size,
		const struct space_tell *tell);

/* Makes small pages of the large one of @va. */
int space_split(struct space *s, va_t va, const struct space_tell *tell);

/* Maps memory of dimension @dim's input space, which the one above has taken
 * for something else than pages and tables. */
int space_back(struct space *s, unsigned dim, u64 from, u64 bytes,
	       const struct space_tell *tell);

/* Unmaps what is mapped of [@start, @end) of @process, and frees the tables
 * that no VMA needs any more: after the VMAs have changed. */
int space_unmap(struct space *s, u16 process, u64 start, u64 end,
		const struct space_tell *tell);

/* Tells that all leaf entries of [@start, @end) were written. */
int space_write(struct space *s, u16 process, u64 start, u64 end,
		const struct space_tell *tell);

struct space_range {
	u16 process;
	u64 start, end;
};

/* Moves what is mapped of @from to where it begins at @to. Where everything
 * is in large pages nothing moves: it will be touched again. */
int space_move(struct space *s, const struct space_range *from, u64 to,
	       const struct space_tell *tell);

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
