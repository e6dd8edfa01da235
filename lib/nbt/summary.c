/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nbt/summary.h"

#include <stdlib.h>
#include <string.h>

#include "lib/nbt/pack.h"
#include "lib/nbt/reader.h"

const char *const nbt_event_name[NBT_EVENTS] = {
	[NBT_MAP] = "map",	   [NBT_UNMAP] = "unmap",
	[NBT_BRK] = "brk",	   [NBT_REMAP] = "remap",
	[NBT_PROTECT] = "protect", [NBT_ADVISE] = "advise",
	[NBT_TOUCH] = "touch",	   [NBT_FORK] = "fork",
	[NBT_EXEC] = "exec",	   [NBT_EXIT] = "exit",
	[NBT_THREAD] = "thread",   [NBT_MARK] = "mark",
};

/* Threads seen: process and number, in the end each once. */
struct threads {
	u32 *seen;
	size_t n, room;
};

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void sort_out(struct threads *t)
{
	size_t kept = 0;

	if (t->n)
		qsort(t->seen, t->n, sizeof(*t->seen), compare);
	for (size_t i = 0; i < t->n; i++)
		if (!kept || t->seen[kept - 1] != t->seen[i])
			t->seen[kept++] = t->seen[i];
	t->n = kept;
}

/* Room for one more: sorted out first, then enlarged if that left it more than
 * half full. */
static int make_room(struct threads *t)
{
	size_t room = t->room ? 2 * t->room : 1024;
	u32 *seen;

	sort_out(t);
	if (t->room && t->n <= t->room / 2)
		return 0;
	seen = realloc(t->seen, room * sizeof(*seen));
	if (!seen)
		return -1;
	t->seen = seen;
	t->room = room;
	return 0;
}

static int add_thread(struct threads *t, u16 process, u16 thread)
{
	u32 both = (u32)process << 16 | thread;

	if (t->n && t->seen[t->n - 1] == both)
		return 0;
	if (t->n == t->room && make_room(t) < 0)
		return -1;
	t->seen[t->n++] = both;
	return 0;
}

static void count_threads(struct threads *t, struct nbt_summary *s)
{
	sort_out(t);
	s->threads = t->n;
	for (size_t i = 0; i < t->n; i++)
		if (!i || t->seen[i] >> 16 != t->seen[i - 1] >> 16)
			s->processes++;
}

static int add_damage(const struct nbt_reader *r, size_t block, const char *why,
		      struct nbt_summary *s)
{
	struct nbt_damage *d =
		realloc(s->damage, (s->damaged + 1) * sizeof(*d));

	if (!d)
		return -1;
	s->damage = d;
	d += s->damaged++;
	d->block = block;
	d->offset = r->block[block].at;
	d->first = r->block[block].first;
	snprintf(d->why, sizeof(d->why), "%s", why);
	return 0;
}

/* What goes from block to block. */
struct survey {
	const struct nbt_reader *r;
	bool all; /* every block is decoded */
	struct nbt_block *b;
	struct threads threads;
	struct nbt_summary *s;
};

static int add_contents(struct survey *v)
{
	const struct nbt_block *b = v->b;

	for (size_t i = 0; i < b->events; i++)
		v->s->event[b->event[i].type]++;
	for (size_t i = 0; i < b->runs; i++)
		if (add_thread(&v->threads, b->run[i].process,
			       b->run[i].thread) < 0)
			return -1;
	return 0;
}

/* The header says enough of a block with one thread and no events. */
static int add_block(struct survey *v, size_t i)
{
	const u8 *payload = v->r->bytes + v->r->block[i].at;
	struct nbt_block_header h;
	const char *wrong = NULL;
	bool decode;

	if (!nbt_header(v->r, i, &h))
		return add_damage(v->r, i, "its header is damaged", v->s);
	decode = v->all || h.events || h.runs;
	if (decode)
		wrong = nbt_unpack_block(&h, payload + sizeof(h), v->b);
	if (wrong)
		return add_damage(v->r, i, wrong, v->s);
	v->s->lost_accesses -= h.n;
	v->s->compressed += h.codec == NBT_ZSTD;
	v->s->physical |= h.flags & NBT_HAS_PHYSICAL;
	if (decode)
		return add_contents(v);
	return add_thread(&v->threads, h.process, h.thread);
}

int nbt_summarize(const struct nbt_reader *r, bool all, struct nbt_summary *s,
		  struct err *err)
{
	struct survey v = {.r = r, .all = all, .b = nbt_block_new(), .s = s};
	int result = v.b ? 0 : -1;

	*s = (struct nbt_summary){
		.bytes = r->size,
		.blocks = r->blocks,
		.lost_accesses = r->end,
	};
	for (size_t i = 0; i < r->blocks && !result; i++)
		result = add_block(&v, i);
	count_threads(&v.threads, s);
	free(v.threads.seen);
	nbt_block_free(v.b);
	if (!result)
		return 0;
	nbt_summary_free(s);
	return err_set(err, "%s: no memory for its summary", r->name);
}

void nbt_summary_free(struct nbt_summary *s)
{
	free(s->damage);
	s->damage = NULL;
	s->damaged = 0;
}
