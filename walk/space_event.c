/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a trace: VMAs first, then the pages in them.
 *
 * Simplifications: a child of fork() has its parent's VMAs, but each page of it
 * is mapped when it touches it, as if it had been written to. MADV_FREE frees
 * nothing, since nothing here runs short of memory.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "walk/space_inline.h"

#define PAGE_MASK ((1ull << PAGE_SHIFT) - 1)

/* An event, and what is needed to do it. */
struct doing {
	struct space *s;
	struct process *p;
	const struct nbt_event *e;
	const struct space_tell *tell;
};

static u64 page_down(u64 at)
{
	return at & ~PAGE_MASK;
}

static u64 page_up(u64 at)
{
	return (at + PAGE_MASK) & ~PAGE_MASK;
}

struct process *space_process(struct space *s, u16 number)
{
	if (!s->process[number])
		s->process[number] = calloc(1, sizeof(struct process));
	return s->process[number];
}

static int put(const struct doing *d, struct vma v)
{
	u64 start = v.start, end = v.end;

	if (vmas_put(&d->p->vmas, &v) < 0)
		return -1;
	if (start >= end)
		return 0;
	return space_unmap(d->s, d->e->process, start, end, d->tell);
}

static int cut(const struct doing *d, u64 start, u64 end)
{
	if (start >= end)
		return 0;
	if (vmas_cut(&d->p->vmas, start, end) < 0)
		return -1;
	return space_unmap(d->s, d->e->process, start, end, d->tell);
}

static int do_map(const struct doing *d)
{
	const u64 *arg = d->e->arg;
	bool private = arg[3] & MAP_ANONYMOUS && !(arg[3] & MAP_SHARED);

	return put(d, (struct vma){.start = page_down(arg[0]),
				   .end = page_up(arg[0] + arg[1]),
				   .prot = (u32)arg[2],
				   .object = private ? 0 : ++d->s->objects});
}

static int do_unmap(const struct doing *d)
{
	return cut(d, page_down(d->e->arg[0]),
		   page_up(d->e->arg[0] + d->e->arg[1]));
}

static int do_brk(const struct doing *d)
{
	u64 old = page_up(d->e->arg[0]), new = page_up(d->e->arg[1]);

	if (new < old)
		return cut(d, new, old);
	return put(d, (struct vma){.start = old,
				   .end = new,
				   .prot = PROT_READ | PROT_WRITE});
}

/* A piece of a file's mapping that moves is no neighbour of others any more. */
static int do_remap(const struct doing *d)
{
	u64 old = page_down(d->e->arg[0]), new = page_down(d->e->arg[2]);
	u64 old_end = page_up(d->e->arg[0] + d->e->arg[1]);
	u64 new_end = page_up(d->e->arg[2] + d->e->arg[3]);
	const struct vma *found = vmas_find(&d->p->vmas, old);
	struct vma v = {.prot = PROT_READ | PROT_WRITE};
	u64 kept = new_end - new;
	struct space_range from;

	if (found)
		v = *found;
	if (new == old && new_end <= old_end)
		return cut(d, new_end, old_end);
	v.start = new == old ? old_end : new;
	v.end = new_end;
	if (new == old)
		return put(d, v);
	v.object = v.object ? ++d->s->objects : 0;
	if (put(d, v) < 0)
		return -1;
	kept = kept < old_end - old ? kept : old_end - old;
	from = (struct space_range){d->e->process, old, old + kept};
	if (space_move(d->s, &from, new, d->tell) < 0)
		return -1;
	return cut(d, old, old_end);
}

static void set_prot(struct vma *v, u32 prot)
{
	v->prot = prot;
}

static void set_huge(struct vma *v, u32 huge)
{
	v->huge = huge;
}

static void set_not_fork(struct vma *v, u32 yes)
{
	v->not_fork = yes;
}

static int change(const struct doing *d, void (*how)(struct vma *, u32),
		  u32 arg)
{
	return vmas_change(&d->p->vmas, page_down(d->e->arg[0]),
			   page_up(d->e->arg[0] + d->e->arg[1]), how, arg);
}

static int do_protect(const struct doing *d)
{
	if (change(d, set_prot, (u32)d->e->arg[2]) < 0)
		return -1;
	return space_write(d->s, d->e->process, page_down(d->e->arg[0]),
			   page_up(d->e->arg[0] + d->e->arg[1]), d->tell);
}

static int do_advise(const struct doing *d)
{
	switch (d->e->arg[2]) {
	case MADV_DONTNEED:
	case MADV_REMOVE:
		return space_unmap(d->s, d->e->process, page_down(d->e->arg[0]),
				   page_up(d->e->arg[0] + d->e->arg[1]),
				   d->tell);
	case MADV_HUGEPAGE:
		return change(d, set_huge, VMA_HUGE);
	case MADV_NOHUGEPAGE:
		return change(d, set_huge, VMA_NO_HUGE);
	case MADV_DONTFORK:
		return change(d, set_not_fork, true);
	case MADV_DOFORK:
		return change(d, set_not_fork, false);
	}
	return 0;
}

static int do_touch(const struct doing *d)
{
	va_t key;

	if (keys_of(d->s->keys, d->e->process, d->e->arg[0], &key) < 0)
		return -1;
	return space_touch(d->s, key, d->tell);
}

static int do_fork(const struct doing *d)
{
	struct process *child = space_process(d->s, (u16)d->e->arg[0]);

	if (!child || child == d->p)
		return child ? 0 : -1;
	vmas_free(&child->vmas);
	if (vmas_fork(&child->vmas, &d->p->vmas) < 0)
		return -1;
	return space_follow(d->s, (u16)d->e->arg[0], d->tell);
}

/* exec() and exit(). */
static int do_end(const struct doing *d)
{
	return cut(d, 0, ~PAGE_MASK);
}

static int (*const table[NBT_EVENTS])(const struct doing *d) = {
	[NBT_MAP] = do_map,	    [NBT_UNMAP] = do_unmap,
	[NBT_BRK] = do_brk,	    [NBT_REMAP] = do_remap,
	[NBT_PROTECT] = do_protect, [NBT_ADVISE] = do_advise,
	[NBT_TOUCH] = do_touch,	    [NBT_FORK] = do_fork,
	[NBT_EXEC] = do_end,	    [NBT_EXIT] = do_end,
};

int space_event(struct space *s, const struct nbt_event *e,
		const struct space_tell *tell, struct err *err)
{
	struct doing d = {s, space_process(s, e->process), e, tell};

	if (e->type >= NBT_EVENTS || !table[e->type])
		return 0;
	if (!d.p || table[e->type](&d) < 0 ||
	    space_follow(s, e->process, tell) < 0)
		return err_set(err, "no memory for the traced program's "
				    "mappings");
	return 0;
}
