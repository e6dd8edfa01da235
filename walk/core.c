/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: cuts blocks of the trace into batches and leads them through the
 * stages.
 *
 *   decode -> keys -> (repeats go) -> frames -> TLBs -> walks and caches
 *
 * Simplifications, all of them: one access at a time, in the trace's order, no
 * overlap of walks with anything; an access that straddles two lines counts
 * for the first; walks fill TLBs at once; caches have no dirty lines and no
 * write-backs, allocate on loads and stores alike, and know no coherence
 * between cores; a walk never faults twice; TLB entries of merged sizes are the
 * smallest of the dimensions' pages.
 */
#include "walk/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "walk/batch.h"
#include "walk/key.h"
#include "walk/space_inline.h"

#define NO_LINE ~0ull

struct engine {
	const struct walk_spec *spec;
	struct walk_spec own; /* with this build's design, and the keys */
	struct walk_stats *stats, ignored;
	struct machine machine;
	struct core *core; /* that runs now */
	struct space *space;
	struct space_tell tell;
	struct keys keys;
	struct nbt_block *block;
	u64 left; /* accesses until counting starts, or ends */
	bool counting, done;
	bool filter;	  /* repeats may be dropped */
	bool touch_first; /* sizes are known only once a page is mapped */
	u16 process;
	u64 last; /* line of the access before */
	struct err *err;
	struct batch batch;
};

/* A change concerns all cores, what it costs only the one that runs. */
static void tell_design(struct engine *e, const struct space_change *change)
{
	const struct design *d = e->own.design;

	if (!d->changed)
		return;
	for (u32 i = 0; i < e->machine.cores; i++) {
		struct mmu *m = &e->machine.core[i].mmu;

		m->stats = m->core == e->core ? e->stats : &e->ignored;
		d->changed(m, change);
		m->stats = e->stats;
	}
}

static void on_change(void *ctx, const struct space_change *change)
{
	struct engine *e = ctx;

	if (change->what == SPACE_UNMAPPED) {
		e->last = NO_LINE;
		if (change->dim == 0)
			machine_drop_page(&e->machine, (va_t){change->in},
					  change->size);
		for (u32 i = 0; change->dim && i < e->machine.cores; i++)
			core_flush_tlbs(&e->machine.core[i]);
	}
	mmu_charge_fault(&e->core->mmu, change);
	tell_design(e, change);
}

/* Repeats may go if nothing that an access touches first counts uses. */
static bool may_filter(const struct profile *p)
{
	const struct geometry *g[] = {&p->l1d,	   &p->l1i,	&p->dtlb[0],
				      &p->dtlb[1], &p->dtlb[2], &p->itlb[0],
				      &p->itlb[1], &p->itlb[2]};

	for (size_t i = 0; i < ARRAY_SIZE(g); i++)
		if (g[i]->policy == POLICY_LFU || g[i]->policy == POLICY_SRRIP)
			return false;
	/* Without a TLB each repeat is a miss; pages of 1 GiB there are not. */
	for (int i = SIZE_4K; i <= SIZE_2M; i++)
		if (!p->dtlb[i].entries || !p->itlb[i].entries)
			return false;
	return true;
}

static const struct design *own_design(const struct design *d)
{
	for (size_t i = 0; walk_designs[i]; i++)
		if (!strcmp(walk_designs[i]->name, d->name))
			return walk_designs[i];
	return d;
}

static int start_core(struct engine *e, struct core *c)
{
	struct mmu *m = &c->mmu;

	m->design = e->own.design;
	m->space = e->space;
	m->env = e->own.env;
	m->stats = e->stats;
	return m->design->start ? m->design->start(m, e->err) : 0;
}

static int start(struct engine *e, const struct nbt_reader *r)
{
	const struct profile *p = e->own.profile;
	u32 cores = e->own.threads_per_core ? p->cores : 1;

	if (machine_init(&e->machine, p, cores, e->err))
		return -1;
	e->core = e->machine.core;
	e->space = space_new(&e->own, e->err);
	e->block = nbt_block_new();
	if (!e->space)
		return -1;
	if (!e->block)
		return err_set(e->err, "out of memory");
	if (!nbt_info(r)->has_events && space_guess(e->space, r, e->err))
		return -1;
	for (u32 i = 0; i < cores; i++)
		if (start_core(e, &e->machine.core[i]))
			return -1;
	return 0;
}

static void switch_to(struct engine *e, u16 thread, u16 process)
{
	unsigned share = e->own.threads_per_core;
	struct core *c = e->machine.core +
			 (share ? thread / share % e->machine.cores : 0);

	if (c->used && c->process != process) {
		if (!e->own.profile->asids)
			core_flush_tlbs(c);
		if (e->own.design->switched)
			e->own.design->switched(&c->mmu, process);
	}
	c->used = true;
	c->process = process;
	e->process = process;
	e->core = c;
	e->last = NO_LINE;
}

/* Counters that need no model. Returns whether there are fetches. */
static bool count(struct engine *e, const u8 *kind, const u8 *gap, u32 n)
{
	u32 fetches = 0, loads = 0, instructions = 0;

	for (u32 i = 0; i < n; i++) {
		fetches += NBT_WHAT(kind[i]) == NBT_FETCH;
		loads += NBT_WHAT(kind[i]) == NBT_LOAD;
		instructions += gap[i];
	}
	e->stats->accesses += n;
	e->stats->loads += loads;
	e->stats->fetches += fetches;
	e->stats->stores += n - loads - fetches;
	e->stats->instructions += instructions;
	return fetches;
}

static void mark_fetches(struct batch *b, const u8 *kind)
{
	for (u32 i = 0; i < b->n; i++)
		b->key[i] |= NBT_WHAT(kind[i]) == NBT_FETCH ? KEY_FETCH : 0;
}

/* Maps pages, in the order of the accesses, before anything asks for sizes. */
static int touch_all(struct engine *e)
{
	for (u32 i = 0; i < e->batch.n; i++)
		if (space_touch(e->space, (va_t){e->batch.key[i] & ~KEY_FETCH},
				&e->tell))
			return -1;
	return 0;
}

static int touch_walks(struct engine *e)
{
	struct batch *b = &e->batch;

	for (u32 i = 0; i < b->walks; i++)
		if (space_touch(e->space,
				(va_t){b->key[b->walk[i]] & ~KEY_FETCH},
				&e->tell))
			return -1;
	return 0;
}

/* Host addresses. The dimension is copied, so that the compiler sees that no
 * store changes it. */
static void translate(struct engine *e)
{
	struct batch *b = &e->batch;

	for (u32 i = 0; i < b->n; i++)
		b->pa[i] = b->key[i] & ~KEY_FETCH;
	for (u32 k = 0; k < e->space->dims; k++) {
		const struct dim d = e->space->d[k];

		for (u32 i = 0; i < b->n; i++)
			b->pa[i] = dim_out(&d, b->pa[i]);
	}
	memset(b->pa + b->n, 0, AHEAD * sizeof(*b->pa));
}

/* The sizes of pages: one for all, or each its own. */
static void find_sizes(struct engine *e)
{
	struct batch *b = &e->batch;
	const struct space *s = e->space;
	u8 sizes = 0;

	if (!s->d[0].mixed) {
		sizes = (u8)space_translate(s, (va_t){0}).size;
		memset(b->size, sizes, b->n);
	}
	for (u32 i = 0; s->d[0].mixed && i < b->n; i++) {
		va_t va = {b->key[i] & ~KEY_FETCH};

		b->size[i] = (u8)space_translate(s, va).size;
		sizes |= b->size[i];
	}
	b->mixed = b->fetches || sizes != SIZE_4K;
}

/* Accesses @first .. @first + @n of the block: one thread, no event. */
static int run_batch(struct engine *e, u32 first, u32 n)
{
	const struct nbt_block *in = e->block;
	struct batch *b = &e->batch;
	u32 repeats;

	if (keys_of_all(&e->keys, e->process, in->addr + first, b->key, n))
		return err_set(e->err,
			       "the program touches more than %d "
			       "regions of 16 GiB",
			       REGIONS);
	b->n = n;
	b->fetches = count(e, in->kind + first, in->gap + first, n);
	if (b->fetches)
		mark_fetches(b, in->kind + first);
	if (e->filter)
		batch_drop_repeats(b, &e->last);
	repeats = n - b->n;
	if (e->touch_first && touch_all(e))
		return err_set(e->err, "the modelled memory is full");
	translate(e);
	find_sizes(e);
	batch_tlbs(b, e->core, e->stats);
	if (!e->touch_first && touch_walks(e))
		return err_set(e->err, "the modelled memory is full");
	batch_caches(b, e->core);
	e->stats->data_hit[HIT_L1] += repeats;
	return 0;
}

/* Warm-up is over: all counters start again. */
static void start_counting(struct engine *e)
{
	memset(e->stats, 0, sizeof(*e->stats));
	e->counting = true;
	e->left = e->own.limit ? e->own.limit : ~0ull;
}

static void note_progress(struct engine *e, u32 n)
{
	e->left -= n;
	if (e->left)
		return;
	if (e->counting)
		e->done = true;
	else
		start_counting(e);
}

/* Events and runs that come before access @at; returns the number of the
 * access up to which there is no other. */
struct cursor {
	size_t event, run;
};

static int next_stop(struct engine *e, struct cursor *c, u32 at, u32 *stop)
{
	const struct nbt_block *b = e->block;

	for (; c->run < b->runs && b->run[c->run].at <= at; c->run++)
		switch_to(e, b->run[c->run].thread, b->run[c->run].process);
	for (; c->event < b->events && b->event[c->event].at <= at;
	     c->event++) {
		e->last = NO_LINE;
		if (space_event(e->space, &b->event[c->event], &e->tell,
				e->err))
			return -1;
	}
	*stop = b->n;
	if (c->run < b->runs && b->run[c->run].at < *stop)
		*stop = b->run[c->run].at;
	if (c->event < b->events && b->event[c->event].at < *stop)
		*stop = b->event[c->event].at;
	return 0;
}

static int run_block(struct engine *e)
{
	struct cursor c = {0};
	u32 at = 0, stop;

	while (!e->done) {
		if (next_stop(e, &c, at, &stop))
			return -1;
		if (at == e->block->n)
			break;
		while (at < stop && !e->done) {
			u32 n = stop - at < BATCH ? stop - at : BATCH;

			n = n < e->left ? n : (u32)e->left;
			if (run_batch(e, at, n))
				return -1;
			note_progress(e, n);
			at += n;
		}
	}
	return 0;
}

/* What follows from the counters. */
static void sum_up(struct engine *e)
{
	struct walk_stats *s = e->stats;

	s->dtlb_misses -= s->itlb_misses;
	for (int hit = 0; hit < HITS; hit++)
		s->data_cycles += s->data_hit[hit] * e->machine.cycles[hit];
	for (int step = 0; step < STEPS; step++)
		for (int hit = 0; hit < HITS; hit++)
			s->refs += s->ref_hit[step][hit];
	space_memory(e->space, &s->memory);
}

static int run(struct engine *e, const struct nbt_reader *r,
	       const struct walk_progress *progress)
{
	size_t blocks = nbt_blocks(r);
	struct err damaged;
	u64 lost = 0, accesses = 0;

	for (size_t i = 0; i < blocks && !e->done; i++) {
		if (nbt_read(r, i, e->block, &damaged)) {
			lost++;
			continue;
		}
		if (run_block(e))
			return -1;
		accesses += e->block->n;
		if (progress && progress->report(progress->ctx, accesses))
			return err_set(e->err, "stopped");
	}
	if (!e->counting)
		return err_set(e->err, "the trace ends before what is to be "
				       "skipped");
	e->stats->lost_blocks = lost;
	sum_up(e);
	assert(machine_check(&e->machine));
	return 0;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void init(struct engine *e, const struct walk_spec *spec,
		 struct walk_stats *out, struct err *err)
{
	e->own = *spec;
	e->own.design = own_design(spec->design);
	e->own.keys = &e->keys;
	e->stats = out;
	e->err = err;
	e->tell = (struct space_tell){on_change, e};
	e->filter = may_filter(spec->profile);
	e->touch_first =
		spec->pages == PAGES_THP || spec->frames == FRAMES_BUDDY;
	e->last = NO_LINE;
	e->left = spec->skip;
	keys_init(&e->keys);
	batch_init(&e->batch);
	if (!e->left)
		start_counting(e);
}

int walk_core(const struct nbt_reader *r, const struct walk_spec *spec,
	      const struct walk_progress *progress, struct walk_stats *out,
	      struct err *err)
{
	struct engine *e = aligned_alloc(64, (sizeof(*e) + 63) / 64 * 64);
	double began = seconds();
	int status;

	if (!e)
		return err_set(err, "out of memory");
	memset(e, 0, sizeof(*e));
	init(e, spec, out, err);
	status = start(e, r);
	if (!status)
		status = run(e, r, progress);
	machine_free(&e->machine);
	space_free(e->space);
	nbt_block_free(e->block);
	free(e);
	out->seconds = seconds() - began;
	return status;
}
