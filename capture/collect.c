/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/maps.h"
#include "lib/marker.h"

#define PIECE	    8
#define TEXT_BYTES  4096
#define WIDEST_LOG2 6
#define WAIT_MAX    (1u << 20)

/* Pieces that may be of one access. */
struct pending {
	u64 addr, gap;
	u32 bytes; /* 0 = none */
	u8 kind;
};

/* A process whose mappings are looked up. */
struct lookup {
	struct maps maps;
	pid_t pid;
	u16 thread, process;
	/* Accesses outside of all mappings to go until the next look, and how
	 * many after it, if it was in vain. */
	u32 wait, patience;
};

struct collector {
	struct ring *ring;
	struct nbt_writer *writer;
	struct capture_limits limits;
	struct limits_state state;
	bool marked; /* between a begin and an end */
	struct pending pending;
	u32 lane; /* whose they are: thread and process */
	char text[TEXT_BYTES];
	size_t text_bytes;
	bool counted;			/* instructions are */
	struct lookup *here;		/* of the lane's process; NULL: none */
	struct lookup *lookup[1 << 16]; /* by process */
	bool ended[1 << 16];		/* by process */
	u64 insns[1 << 16]; /* by thread, at its last access or sync ... */
	u64 gap[1 << 16];   /* ... and from the one to the other */
};

struct collector *collect_new(struct ring *r, struct nbt_writer *w,
			      const struct capture_limits *limits, bool counted)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->ring = r;
	c->writer = w;
	c->limits = *limits;
	c->counted = counted;
	return c;
}

bool collect_done(const struct collector *c)
{
	return limits_reached(&c->limits, &c->state) || nbt_failed(c->writer);
}

u64 collect_seen(const struct collector *c)
{
	return c->state.seen;
}

/* Mappings that are looked up **********************************************/

static void put_change(void *data, const struct nbt_event *change)
{
	const struct collector *c = data;
	struct nbt_event e = *change;

	e.thread = c->here->thread;
	e.process = c->here->process;
	nbt_put_event(c->writer, &e);
}

/* Returns false if there is nothing new. */
static bool look(struct collector *c)
{
	char path[32];
	FILE *f;
	bool any;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)c->here->pid);
	f = fopen(path, "re");
	any = f && maps_update(&c->here->maps, f, put_change, c);
	if (f)
		(void)fclose(f);
	return any;
}

/* An access outside of what is known. What is gone already was a mapping, too:
 * that page at least. */
static __attribute__((noinline)) void miss(struct collector *c, u64 addr)
{
	const struct nbt_event page = {
		.type = NBT_MAP,
		.arg = {addr & -4096ull, 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS},
	};
	struct lookup *l = c->here;

	if (l->wait)
		l->wait--;
	else if (look(c))
		l->patience = 0;
	else
		l->wait = l->patience =
			l->patience < WAIT_MAX ? l->patience * 2 + 1 : WAIT_MAX;
	if (maps_has(&l->maps, addr))
		return;
	maps_add(&l->maps, &page);
	put_change(c, &page);
}

static struct lookup *lookup_of(struct collector *c, u16 process)
{
	if (!c->lookup[process])
		c->lookup[process] = calloc(1, sizeof(struct lookup));
	return c->lookup[process];
}

static void set_here(struct collector *c, const struct ring_entry *e)
{
	c->here = c->counted ? NULL : lookup_of(c, e->process);
	if (!c->here)
		return;
	c->here->pid = e->pid;
	c->here->thread = e->thread;
	c->here->process = e->process;
}

/* A child has what its parent had, which traces' readers know. */
static void fork_lookup(struct collector *c, u16 parent, u16 child)
{
	struct lookup *from = c->lookup[parent], *to;

	if (!from || c->lookup[child])
		return;
	to = lookup_of(c, child);
	if (to)
		maps_copy(&to->maps, &from->maps);
}

static void free_lookup(struct collector *c, u16 process)
{
	struct lookup *l = c->lookup[process];

	if (!l)
		return;
	if (c->here == l)
		c->here = NULL;
	maps_free(&l->maps);
	free(l);
	c->lookup[process] = NULL;
}

/* What events of the recorder say of mappings. */
static void follow(struct collector *c, const struct nbt_event *e)
{
	struct lookup *l = NULL;

	if (e->type == NBT_EXIT)
		free_lookup(c, e->process);
	if (e->type == NBT_FORK)
		fork_lookup(c, e->process, (u16)e->arg[0]);
	if (e->type == NBT_MAP)
		l = lookup_of(c, e->process);
	if (l)
		maps_add(&l->maps, e);
}

/* Accesses *****************************************************************/

static inline void take(struct collector *c, u64 addr, u8 kind, u64 gap)
{
	if (c->limits.marked && !c->marked)
		return;
	if (limits_reached(&c->limits, &c->state) ||
	    !limits_take(&c->limits, &c->state))
		return;
	if (c->here && !maps_has(&c->here->maps, addr))
		miss(c, addr);
	nbt_add(c->writer, addr, kind, gap);
}

/* What is pending becomes accesses of a power of 2 each. */
static void settle(struct collector *c)
{
	struct pending *p = &c->pending;

	while (p->bytes) {
		unsigned log2 = 31 - (unsigned)__builtin_clz(p->bytes);
		u8 what = NBT_WHAT(p->kind);

		take(c, p->addr, NBT_KIND(what, log2), p->gap);
		p->addr += 1u << log2;
		p->bytes -= 1u << log2;
		p->gap = 0;
	}
}

static inline void put_access(struct collector *c, u64 addr, u8 kind, u64 gap)
{
	struct pending *p = &c->pending;

	if (NBT_BYTES(kind) != PIECE || NBT_WHAT(kind) == NBT_ATOMIC) {
		settle(c);
		take(c, addr, kind, gap);
		return;
	}
	if (!gap && p->bytes && p->kind == kind && addr == p->addr + p->bytes &&
	    p->bytes < 1u << WIDEST_LOG2) {
		p->bytes += PIECE;
		return;
	}
	if (p->bytes)
		settle(c);
	*p = (struct pending){addr, gap, PIECE, kind};
}

/* Instructions from the last access or sync to the next. */
static inline u64 count(u64 word, u64 *insns)
{
	u64 gap = ((word >> RING_COUNT_SHIFT) - *insns) % RING_COUNTS;

	*insns += gap;
	return gap;
}

static inline void put_word(struct collector *c, u64 word, u64 gap)
{
	u64 addr = word & RING_ADDR;
	unsigned log2 = word >> RING_SIZE_SHIFT & 3;

	if (!(word & RING_BOTH)) {
		put_access(c, addr, NBT_KIND(word >> RING_WHAT_SHIFT & 3, log2),
			   gap);
		return;
	}
	put_access(c, addr, NBT_KIND(NBT_LOAD, log2), gap);
	put_access(c, addr, NBT_KIND(NBT_STORE, log2), 0);
}

static void put_words(struct collector *c, const struct ring_entry *e)
{
	const u64 *word = ring_range(c->ring, e);
	u64 insns = c->insns[e->thread], gap = c->gap[e->thread];

	for (const u64 *end = word + (e->to - e->from); word < end; word++) {
		if ((*word & RING_WHAT) == RING_SYNC) {
			gap += *++word - insns;
			insns = *word;
			continue;
		}
		gap = c->counted ? gap + count(*word, &insns) : 1;
		put_word(c, *word, gap);
		gap = 0;
	}
	c->insns[e->thread] = insns;
	c->gap[e->thread] = gap;
}

static void put_range(struct collector *c, const struct ring_entry *e)
{
	u32 lane = (u32)e->process << 16 | e->thread;

	if (c->ended[e->process] || e->from == e->to)
		return;
	if (lane != c->lane)
		settle(c);
	c->lane = lane;
	set_here(c, e);
	nbt_thread(c->writer, e->thread, e->process);
	put_words(c, e);
}

static void put_event(struct collector *c, const struct ring_entry *e)
{
	struct nbt_event event = {
		.type = e->event,
		.thread = e->thread,
		.process = e->process,
		.text = c->text_bytes ? c->text : NULL,
	};

	memcpy(event.arg, e->arg, sizeof(event.arg));
	settle(c);
	c->text_bytes = 0;
	if (c->ended[e->process])
		return;
	c->ended[e->process] = e->event == NBT_EXIT;
	if (!c->counted)
		follow(c, &event);
	if (e->event == NBT_MARK && e->arg[0] == MARK_BEGIN)
		c->marked = true;
	if (e->event == NBT_MARK && e->arg[0] == MARK_END)
		c->marked = false;
	nbt_put_event(c->writer, &event);
}

static void put_text(struct collector *c, const struct ring_entry *e)
{
	size_t left = sizeof(c->text) - 1 - c->text_bytes;
	size_t n = left < RING_TEXT_BYTES ? left : RING_TEXT_BYTES;

	memcpy(c->text + c->text_bytes, (const u8 *)e + 4, n);
	c->text_bytes += n;
	c->text[c->text_bytes] = 0;
}

void collect_drain(struct collector *c)
{
	struct ring_entry e;
	u32 n = ring_queued(c->ring);

	while (n-- && !collect_done(c) && ring_pop(c->ring, &e)) {
		switch ((enum ring_type)e.type) {
		case RING_RANGE:
			put_range(c, &e);
			break;
		case RING_LAST:
			put_range(c, &e);
			ring_free(c->ring, &e);
			break;
		case RING_EVENT:
			put_event(c, &e);
			break;
		case RING_TEXT:
			put_text(c, &e);
			break;
		}
	}
	if (collect_done(c))
		settle(c);
}

void collect_reap(struct collector *c, pid_t pid)
{
	int process = ring_reap(c->ring, pid);

	collect_drain(c);
	if (process >= 0)
		put_event(c, &(struct ring_entry){.event = NBT_EXIT,
						  .process = (u16)process});
	settle(c);
}

void collect_end(struct collector *c)
{
	settle(c);
	for (unsigned i = 0; i < ARRAY_SIZE(c->lookup); i++)
		free_lookup(c, (u16)i);
	free(c);
}
