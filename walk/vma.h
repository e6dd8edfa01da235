/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMAs of one address space, as Linux keeps them: sorted, not overlapping,
 * neighbours that are alike made one. Addresses are page multiples.
 *
 * Left out of Linux's rules: offsets in files. A file's mapping has a number of
 * its own (struct vma, object), and its pieces are alike while they are next to
 * each other.
 *
 * Who calls it: walk/space_event.c, walk/space_guess.c and walk/tea.c; one
 * thread at a time. Functions return < 0 if there is no memory, and have not
 * changed anything then.
 */
#pragma once

#include "lib/types.h"

enum vma_huge { VMA_DEFAULT, VMA_HUGE, VMA_NO_HUGE };

struct vma {
	u64 start, end;
	u32 prot;      /* PROT_* */
	u32 object;    /* 0: private anonymous memory */
	u8 huge;       /* enum vma_huge: madvise() */
	bool not_fork; /* MADV_DONTFORK */
};

struct vmas {
	struct vma *v;
	size_t n, room;
};

void vmas_free(struct vmas *s);

/* The VMA that has @at in it, or NULL. */
const struct vma *vmas_find(const struct vmas *s, u64 at);

/* Whether any VMA has a byte in [@start, @end). */
bool vmas_overlap(const struct vmas *s, u64 start, u64 end);

/* Index of the first VMA that ends behind @at; s->n if there is none. */
size_t vmas_index(const struct vmas *s, u64 at);

/* Maps @new in place of whatever overlaps it. */
int vmas_put(struct vmas *s, const struct vma *new);

/* Unmaps [@start, @end). */
int vmas_cut(struct vmas *s, u64 start, u64 end);

/* Lets @change set what it wants but start and end, in all of [@start, @end)
 * that is mapped. */
int vmas_change(struct vmas *s, u64 start, u64 end,
		void (*change)(struct vma *v, u32 arg), u32 arg);

/* @to, which is empty, becomes what a child gets of @from. */
int vmas_fork(struct vmas *to, const struct vmas *from);
