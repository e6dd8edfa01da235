/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMAs for a trace that has none: what it touches, where neighbours become one
 * as long as untouched bubbles are at most 2 % of the whole (the rule by which
 * DMT merges VMAs: ASPLOS'24, section 4.2).
 *
 * Bubbles are counted in chunks of 2 MiB, which one page of a TEA covers: a
 * short trace of random accesses touches few pages of each.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "walk/space_inline.h"

#define CHUNKS	      (1u << (KEY_BITS - CHUNK_SHIFT))
#define REGION_CHUNKS (1ull << (REGION_SHIFT - CHUNK_SHIFT))
#define BUBBLES	      50 /* one in so many */

/* What is touched of a chunk, in pages; last < first: nothing. */
struct touched {
	u16 first, last;
};

struct guess {
	struct space *s;
	struct keys keys; /* the core numbers regions itself, as it goes */
	struct touched *chunk;
	struct vma vma; /* that grows; start = end: none */
	u64 bubbles;	/* bytes of them in it */
	u16 process;
};

static int touch(struct guess *g, u16 process, u64 at)
{
	struct touched *t;
	u16 page = at >> PAGE_SHIFT & 511;
	va_t key;

	if (keys_of(&g->keys, process, at, &key) < 0)
		return -1;
	t = &g->chunk[key.v >> CHUNK_SHIFT];
	if (page + 1 > t->last)
		t->last = page + 1;
	if (512 - page > t->first)
		t->first = 512 - page;
	return 0;
}

static int touch_block(struct guess *g, const struct nbt_block *b)
{
	size_t run = 0;

	for (u32 i = 0; i < b->n; i++) {
		while (run + 1 < b->runs && b->run[run + 1].at <= i)
			run++;
		if (touch(g, b->run[run].process, b->addr[i]) < 0)
			return -1;
	}
	return 0;
}

static int touch_all(struct guess *g, const struct nbt_reader *r,
		     struct nbt_block *b, struct err *err)
{
	struct err damage;

	for (size_t i = 0; i < nbt_blocks(r); i++)
		if (nbt_read(r, i, b, &damage) == 0 && touch_block(g, b) < 0)
			return err_set(err,
				       "the trace touches more than %u "
				       "regions of 16 GiB",
				       REGIONS);
	return 0;
}

static int finish_vma(struct guess *g)
{
	struct process *p = space_process(g->s, g->process);

	if (g->vma.start == g->vma.end)
		return 0;
	if (!p || vmas_put(&p->vmas, &g->vma) < 0)
		return -1;
	g->vma.end = g->vma.start;
	return 0;
}

/* The next touched bytes of the process. */
static int add(struct guess *g, u64 start, u64 end)
{
	u64 gap = (start >> CHUNK_SHIFT) - ((g->vma.end - 1) >> CHUNK_SHIFT);
	u64 bubbles = g->bubbles + (gap > 1 ? gap - 1 : 0);
	u64 chunks = (end >> CHUNK_SHIFT) - (g->vma.start >> CHUNK_SHIFT) + 1;

	if (g->vma.start != g->vma.end && bubbles * BUBBLES <= chunks) {
		g->vma.end = end;
		g->bubbles = bubbles;
		return 0;
	}
	if (finish_vma(g) < 0)
		return -1;
	g->vma = (struct vma){
		.start = start, .end = end, .prot = PROT_READ | PROT_WRITE};
	g->bubbles = 0;
	return 0;
}

static int add_region(struct guess *g, u32 region)
{
	u64 base = key_address(&g->keys, (va_t){(u64)region << REGION_SHIFT});

	for (u64 i = 0; i < REGION_CHUNKS; i++) {
		const struct touched *t = &g->chunk[region * REGION_CHUNKS + i];
		u64 at = base + (i << CHUNK_SHIFT);

		if (t->last && add(g, at + ((512ull - t->first) << PAGE_SHIFT),
				   at + ((u64)t->last << PAGE_SHIFT)) < 0)
			return -1;
	}
	return 0;
}

/* Processes and addresses in their order, which is that of owners. */
static u32 next_region(const struct guess *g, u64 above, bool first)
{
	u32 best = REGIONS;

	for (u32 r = 0; r < g->keys.used; r++)
		if ((first || g->keys.owner[r] > above) &&
		    (best == REGIONS || g->keys.owner[r] < g->keys.owner[best]))
			best = r;
	return best;
}

static int make_vmas(struct guess *g)
{
	u64 above = 0;

	for (u32 i = 0; i < g->keys.used; i++) {
		u32 region = next_region(g, above, i == 0);
		u16 process = key_process(&g->keys,
					  (va_t){(u64)region << REGION_SHIFT});

		if (process != g->process && finish_vma(g) < 0)
			return -1;
		g->process = process;
		if (add_region(g, region) < 0)
			return -1;
		above = g->keys.owner[region];
	}
	return finish_vma(g);
}

int space_guess(struct space *s, const struct nbt_reader *r, struct err *err)
{
	struct guess g = {.s = s};
	struct nbt_block *b = nbt_block_new();
	int result = -1;

	keys_init(&g.keys);
	g.chunk = calloc(CHUNKS, sizeof(*g.chunk));
	if (!b || !g.chunk)
		err_set(err, "no memory to guess mappings");
	else if (touch_all(&g, r, b, err) == 0) {
		result = make_vmas(&g);
		if (result < 0)
			err_set(err, "no memory for guessed mappings");
	}
	free(g.chunk);
	if (b)
		nbt_block_free(b);
	return result;
}
