/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/memory_trace.h"

#include <stdlib.h>
#include <string.h>

/* A block's columns, where the trace has none, and its runs and events. */
struct own {
	u8 kind[NBT_BLOCK], gap[NBT_BLOCK];
	struct nbt_run *run;
	struct nbt_event *event;
};

const struct nbt_info *nbt_info(const struct nbt_reader *r)
{
	return &r->info;
}

static u32 block_size(const struct nbt_reader *r)
{
	return r->block ? r->block : NBT_BLOCK;
}

size_t nbt_blocks(const struct nbt_reader *r)
{
	return (r->count + block_size(r) - 1) / block_size(r);
}

struct nbt_block *nbt_block_new(void)
{
	struct nbt_block *b = calloc(1, sizeof(*b));
	struct own *own = calloc(1, sizeof(*own));

	if (!b || !own)
		abort();
	memset(own->kind, NBT_KIND(NBT_LOAD, 3), sizeof(own->kind));
	memset(own->gap, 1, sizeof(own->gap));
	b->own = own;
	return b;
}

void nbt_block_free(struct nbt_block *b)
{
	struct own *own = b ? b->own : NULL;

	if (!b)
		return;
	free(own->run);
	free(own->event);
	free(own);
	free(b);
}

/* The run that goes on when the block begins, and those that begin in it. */
static void copy_runs(const struct nbt_reader *r, struct nbt_block *b)
{
	struct own *own = b->own;

	own->run = realloc(own->run, (r->runs + 1) * sizeof(*own->run));
	if (!own->run)
		abort();
	own->run[0] = (struct nbt_run){0};
	b->runs = 1;
	for (size_t i = 0; i < r->runs && r->run[i].at < b->first + b->n; i++) {
		struct nbt_run run = r->run[i];

		if (run.at <= b->first)
			b->runs = 0;
		run.at = run.at <= b->first ? 0 : run.at - (u32)b->first;
		own->run[b->runs++] = run;
	}
	b->run = own->run;
}

static void copy_events(const struct nbt_reader *r, struct nbt_block *b)
{
	struct own *own = b->own;

	own->event = realloc(own->event, (r->events + 1) * sizeof(*own->event));
	if (!own->event)
		abort();
	b->events = 0;
	for (size_t i = 0; i < r->events; i++) {
		struct nbt_event e = r->event[i];

		if (e.at < b->first || e.at >= b->first + b->n)
			continue;
		e.at -= (u32)b->first;
		own->event[b->events++] = e;
	}
	b->event = own->event;
}

int nbt_read(const struct nbt_reader *r, size_t i, struct nbt_block *b,
	     struct err *err)
{
	struct own *own = b->own;

	if (r->damaged == i + 1)
		return err_set(err, "block %zu is damaged", i);
	b->first = i * block_size(r);
	b->n = block_size(r);
	if (r->count - b->first < b->n)
		b->n = (u32)(r->count - b->first);
	b->addr = r->addr + b->first;
	b->kind = r->kind ? r->kind + b->first : own->kind;
	b->gap = r->gap ? r->gap + b->first : own->gap;
	b->instructions = b->n;
	copy_runs(r, b);
	copy_events(r, b);
	return 0;
}
