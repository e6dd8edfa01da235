/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do a trace's events tell where its accesses are?
 *
 *   mapped FILE
 *
 * prints for each process "PROCESS ACCESSES OUTSIDE": how many of its accesses
 * are in no mapping that the events before them have made.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/nbt/nbt.h"
#include "walk/vma.h"

#define PROCESSES 4096
#define PAGE	  4096ull

struct process {
	struct vmas vmas;
	u64 accesses, outside, first; /* the first one that is outside */
};

static struct process process[PROCESSES];

static u64 up(u64 at)
{
	return (at + PAGE - 1) & -PAGE;
}

static int put(struct process *p, u64 start, u64 end)
{
	return start < end ? vmas_put(&p->vmas, &(struct vma){.start = start,
							      .end = up(end)})
			   : 0;
}

static int remap(struct process *p, const u64 *a)
{
	return vmas_cut(&p->vmas, a[0], up(a[0] + a[1])) < 0
		       ? -1
		       : put(p, a[2], a[2] + a[3]);
}

static int event(const struct nbt_event *e)
{
	struct process *p = &process[e->process % PROCESSES];
	const u64 *a = e->arg;

	switch ((enum nbt_event_type)e->type) {
	case NBT_MAP:
		return put(p, a[0], a[0] + a[1]);
	case NBT_UNMAP:
		return vmas_cut(&p->vmas, a[0], up(a[0] + a[1]));
	case NBT_BRK:
		return a[1] > a[0] ? put(p, a[0] & -PAGE, a[1])
				   : vmas_cut(&p->vmas, up(a[1]), up(a[0]));
	case NBT_REMAP:
		return remap(p, a);
	case NBT_FORK:
		vmas_free(&process[a[0] % PROCESSES].vmas);
		return vmas_fork(&process[a[0] % PROCESSES].vmas, &p->vmas);
	case NBT_EXEC:
	case NBT_EXIT:
		vmas_free(&p->vmas);
		return 0;
	case NBT_PROTECT:
	case NBT_ADVISE:
	case NBT_TOUCH:
	case NBT_THREAD:
	case NBT_MARK:
	case NBT_EVENTS:
		return 0;
	}
	return 0;
}

static void access_at(struct process *p, u64 at)
{
	p->accesses++;
	if (vmas_find(&p->vmas, at))
		return;
	if (!p->outside++)
		p->first = at;
}

static int count(const struct nbt_block *b)
{
	size_t e = 0, run = 0;

	for (u32 i = 0; i < b->n; i++) {
		for (; e < b->events && b->event[e].at <= i; e++)
			if (event(&b->event[e]) < 0)
				return -1;
		while (run + 1 < b->runs && b->run[run + 1].at <= i)
			run++;
		access_at(&process[b->run[run].process % PROCESSES],
			  b->addr[i]);
	}
	for (; e < b->events; e++)
		if (event(&b->event[e]) < 0)
			return -1;
	return 0;
}

static int fail(const struct err *err)
{
	fprintf(stderr, "mapped: %s\n", err->text);
	return 1;
}

int main(int argc, char **argv)
{
	struct err err = {.text = "usage: mapped FILE"};
	struct nbt_reader *r = argc == 2 ? nbt_open(argv[1], &err) : NULL;
	struct nbt_block *b = nbt_block_new();

	for (size_t i = 0; r && i < nbt_blocks(r); i++)
		if (nbt_read(r, i, b, &err) < 0 || count(b) < 0)
			return fail(&err);
	if (!r)
		return fail(&err);
	for (size_t i = 0; i < PROCESSES; i++) {
		const struct process *p = &process[i];

		if (p->accesses)
			printf("%zu %" PRIu64 " %" PRIu64 " %" PRIx64 "\n", i,
			       p->accesses, p->outside, p->first);
		vmas_free(&process[i].vmas);
	}
	nbt_block_free(b);
	nbt_close(r);
	return 0;
}
