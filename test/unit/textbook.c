/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/textbook.h"

#include <stdlib.h>
#include <string.h>

#include "walk/key.h"
#include "walk/space_inline.h"

#define LEVELS_MAX 5

/* One entry of a cache of any kind. */
struct slot {
	bool valid;
	u64 number; /* of a page (with its size), prefix or line */
	u64 used;   /* time */
	u32 uses, rrpv;
};

struct array {
	u32 sets, ways;
	enum policy policy;
	u64 time;
	struct slot *entry; /* sets x ways */
	bool *right;	    /* PLRU: sets x 2 ways: the victim is there */
};

struct tb_core {
	struct array itlb[PAGE_SIZES], dtlb[PAGE_SIZES], stlb[PAGE_SIZES];
	struct array pwc[PWC_LEVELS], npwc[PWC_LEVELS], ntlb, l1i, l1d, l2;
	int process; /* that ran last, or -1 */
};

struct textbook {
	const struct walk_spec *spec;
	const struct profile *p;
	struct tb_core *core, *now;
	u32 cores;
	struct array l3;
	struct space *space;
	struct keys keys;
	struct walk_stats *stats;
	struct walk_event *event; /* the walk that is under way */
};

struct walk_event *log_add(struct walk_log *log)
{
	if (log->count == log->room) {
		log->room = 2 * log->room + 64;
		log->event =
			realloc(log->event, log->room * sizeof(*log->event));
		if (!log->event)
			abort();
	}
	memset(&log->event[log->count], 0, sizeof(*log->event));
	return &log->event[log->count++];
}

static void array_make(struct array *a, const struct geometry *g)
{
	memset(a, 0, sizeof(*a));
	if (!g->entries)
		return;
	a->ways = g->ways;
	a->sets = g->entries / g->ways;
	a->policy = g->policy;
	a->entry = calloc(g->entries, sizeof(*a->entry));
	a->right = calloc((size_t)2 * g->entries, sizeof(*a->right));
}

static void array_free(struct array *a)
{
	free(a->entry);
	free(a->right);
}

static void array_empty(struct array *a)
{
	for (u32 i = 0; i < a->sets * a->ways; i++)
		a->entry[i] = (struct slot){0};
	for (u32 i = 0; i < 2 * a->sets * a->ways; i++)
		a->right[i] = false;
}

/* The set is made of the number's lower part; @size only tells entries apart
 * that share a TLB. */
static u32 set_of(const struct array *a, u64 number)
{
	return (u32)(number % a->sets);
}

static u64 with_size(u64 number, enum page_size size)
{
	return number | (u64)size << 60;
}

static int way_of(const struct array *a, u32 set, u64 number)
{
	for (u32 w = 0; w < a->ways; w++) {
		const struct slot *e = &a->entry[set * a->ways + w];

		if (e->valid && e->number == number)
			return (int)w;
	}
	return -1;
}

/* PLRU: halves and halves of halves; each remembers which side was used last,
 * the victim is on the other. Node numbers: depth first by halving. */
static u32 plru_choose(const struct array *a, u32 set)
{
	u32 low = 0, high = a->ways, node = 1;

	while (high - low > 1) {
		bool right = a->right[2 * set * a->ways + node];

		if (right)
			low = (low + high) / 2;
		else
			high = (low + high) / 2;
		node = 2 * node + right;
	}
	return low;
}

static void plru_use(struct array *a, u32 set, u32 way)
{
	u32 low = 0, high = a->ways, node = 1;

	while (high - low > 1) {
		u32 middle = (low + high) / 2;
		bool in_right = way >= middle;

		a->right[2 * set * a->ways + node] = !in_right;
		if (in_right)
			low = middle;
		else
			high = middle;
		node = 2 * node + in_right;
	}
}

static u32 srrip_choose(struct slot *e, u32 ways)
{
	for (;;) {
		for (u32 w = 0; w < ways; w++)
			if (e[w].rrpv == 3)
				return w;
		for (u32 w = 0; w < ways; w++)
			e[w].rrpv++;
	}
}

static u32 choose(struct array *a, u32 set)
{
	struct slot *e = &a->entry[(size_t)set * a->ways];
	u32 best = 0;

	for (u32 w = 0; w < a->ways; w++)
		if (!e[w].valid)
			return w;
	if (a->policy == POLICY_PLRU)
		return plru_choose(a, set);
	if (a->policy == POLICY_SRRIP)
		return srrip_choose(e, a->ways);
	for (u32 w = 1; w < a->ways; w++) {
		if (a->policy == POLICY_LRU && e[w].used < e[best].used)
			best = w;
		if (a->policy == POLICY_LFU && e[w].uses < e[best].uses)
			best = w;
	}
	return best;
}

/* Looks up; fills if it is not there. *@lost: the number that had to go, or
 * ~0. */
static bool array_use(struct array *a, u64 set_number, u64 number, u64 *lost)
{
	u32 set;
	int found;
	struct slot *e;

	*lost = ~0ull;
	if (!a->sets)
		return false;
	set = set_of(a, set_number);
	found = way_of(a, set, number);
	e = &a->entry[set * a->ways +
		      (found >= 0 ? (u32)found : choose(a, set))];
	if (found < 0) {
		*lost = e->valid ? e->number : ~0ull;
		*e = (struct slot){.valid = true, .number = number, .rrpv = 2};
	} else {
		e->rrpv = 0;
	}
	e->used = ++a->time;
	e->uses += e->uses < 255;
	if (a->policy == POLICY_PLRU)
		plru_use(a, set, (u32)(e - &a->entry[(size_t)set * a->ways]));
	return found >= 0;
}

static void array_remove(struct array *a, u64 number)
{
	u32 set = a->sets ? set_of(a, number) : 0;
	int way = a->sets ? way_of(a, set, number) : -1;

	if (way >= 0)
		a->entry[set * a->ways + (u32)way].valid = false;
}

static bool page_use(struct array *a, u64 address, enum page_size size)
{
	u64 page = address >> size_shift(size), lost;

	return array_use(a, page, with_size(page, size), &lost);
}

/* An access to a line, from cache level @first on. */
static enum hit memory(struct textbook *t, struct array *l1, u64 pa, int first)
{
	u64 line = pa / 64, lost;

	if (first <= 1 && array_use(l1, line, line, &lost))
		return HIT_L1;
	if (first <= 2 && array_use(&t->now->l2, line, line, &lost))
		return HIT_L2;
	if (array_use(&t->l3, line, line, &lost))
		return HIT_L3;
	if (t->p->l3_inclusive && lost != ~0ull)
		for (u32 i = 0; i < t->cores; i++) {
			array_remove(&t->core[i].l1i, lost);
			array_remove(&t->core[i].l1d, lost);
			array_remove(&t->core[i].l2, lost);
		}
	return HIT_MEMORY;
}

static u32 latency(const struct profile *p, enum hit hit)
{
	switch (hit) {
	case HIT_L1:
		return p->l1d.cycles;
	case HIT_L2:
		return p->l2.cycles;
	case HIT_L3:
		return p->l3.cycles;
	case HIT_MEMORY:
	case HITS:
		break;
	}
	return p->memory_cycles;
}

static u32 reference(struct textbook *t, unsigned step, u64 pa)
{
	enum hit hit = memory(t, &t->now->l1d, pa, (int)t->p->pte_entry);

	t->event->step[t->event->refs] = (u8)step;
	t->event->hit[t->event->refs++] = (u8)hit;
	t->stats->refs++;
	t->stats->ref_hit[step][hit]++;
	return latency(t->p, hit);
}

/* What a page-walk cache is asked for: the bits of the address that lead to an
 * entry of @level and, of the program's addresses, whose they are. */
static u64 prefix(const struct textbook *t, const struct array *pwc, u64 in,
		  u32 level)
{
	u32 shift = 12 + 9 * (level - 1);
	va_t va = {in};

	if (pwc == t->now->npwc)
		return in >> shift;
	return (u64)key_process(&t->keys, va) << 48 |
	       key_address(&t->keys, va) >> shift;
}

/* All page-walk caches below the first that hits are filled by the walk. */
static u32 start_level(const struct textbook *t, struct array *pwc, u64 in,
		       u32 leaf)
{
	u32 hit_at = t->p->levels + 1;
	u64 lost;

	for (u32 level = t->p->levels; level > leaf; level--) {
		struct array *a = &pwc[level - 2];
		u64 number = prefix(t, pwc, in, level);

		if (a->sets && way_of(a, set_of(a, number), number) >= 0)
			hit_at = level;
	}
	for (u32 level = leaf + 1; level <= hit_at; level++) {
		u64 number = prefix(t, pwc, in, level);

		if (level <= t->p->levels)
			array_use(&pwc[level - 2], number, number, &lost);
	}
	return hit_at - 1;
}

static u32 pwc_latency(const struct geometry *g)
{
	for (int i = 0; i < PWC_LEVELS; i++)
		if (g[i].entries)
			return g[i].cycles;
	return 0;
}

static u32 host_part(struct textbook *t, const struct dim *host, u64 gpa,
		     unsigned step)
{
	enum page_size size = dim_map(host, gpa).size;
	u32 cycles = t->p->ntlb.entries ? t->p->ntlb.cycles : 0;
	u32 level;

	if (page_use(&t->now->ntlb, gpa, size))
		return cycles;
	cycles += pwc_latency(t->p->npwc);
	level = start_level(t, t->now->npwc, gpa, size + 1);
	for (; level > size; level--)
		cycles += reference(t, step + LEVELS_MAX - level,
				    dim_entry(host, gpa, level));
	return cycles;
}

static u32 full_walk(struct textbook *t, u64 va)
{
	const struct dim *guest = space_dim(t->space, 0);
	const struct dim *host = t->spec->env == ENV_NESTED
					 ? space_nested_shadow(t->space)
					 : space_dim(t->space, 1);
	struct mapping page = dim_map(guest, va);
	u32 cycles = pwc_latency(t->p->pwc);
	u32 level = start_level(t, t->now->pwc, va, page.size + 1);

	for (; level > page.size; level--) {
		u64 entry = dim_entry(guest, va, level);

		if (!host) {
			cycles += reference(t, LEVELS_MAX - level, entry);
			continue;
		}
		cycles += host_part(t, host, entry, (LEVELS_MAX - level) * 6);
		cycles += reference(t, (LEVELS_MAX - level) * 6 + 5,
				    dim_map(host, entry).out);
	}
	return host ? cycles + host_part(t, host, page.out, 30) : cycles;
}

static void walk(struct textbook *t, u64 va, struct walk_log *log)
{
	u32 cycles;

	t->event = log_add(log);
	t->event->va = va;
	memcpy(t->event->below_l1, t->stats->data_hit,
	       sizeof(t->event->below_l1));
	t->event->below_l1[HIT_L1] = 0;
	t->stats->stlb_misses++;
	cycles = full_walk(t, va);
	t->event->cycles = cycles;
	t->stats->walk_cycles += cycles;
	t->stats->latency[cycles < LATENCIES ? cycles : LATENCIES - 1]++;
}

static void access_one(struct textbook *t, u64 va, bool fetch,
		       struct walk_log *log)
{
	enum page_size size = space_translate(t->space, (va_t){va}).size;
	struct tb_core *c = t->now;
	struct array *stlb = &c->stlb[t->p->stlb_shared[size] ? 0 : size];
	enum hit hit;

	if (!page_use(fetch ? &c->itlb[size] : &c->dtlb[size], va, size)) {
		t->stats->itlb_misses += fetch;
		t->stats->dtlb_misses += !fetch;
		if (!page_use(stlb, va, size))
			walk(t, va, log);
	}
	hit = memory(t, fetch ? &c->l1i : &c->l1d,
		     space_translate(t->space, (va_t){va}).out, 1);
	t->stats->data_hit[hit]++;
	t->stats->data_cycles += latency(t->p, hit);
}

static void make_core(struct tb_core *c, const struct profile *p)
{
	for (int s = 0; s < PAGE_SIZES; s++) {
		array_make(&c->itlb[s], &p->itlb[s]);
		array_make(&c->dtlb[s], &p->dtlb[s]);
		array_make(&c->stlb[s], &p->stlb[s]);
	}
	for (int i = 0; i < PWC_LEVELS; i++) {
		array_make(&c->pwc[i], &p->pwc[i]);
		array_make(&c->npwc[i], &p->npwc[i]);
	}
	array_make(&c->ntlb, &p->ntlb);
	array_make(&c->l1i, &p->l1i);
	array_make(&c->l1d, &p->l1d);
	array_make(&c->l2, &p->l2);
	c->process = -1;
}

static void free_core(struct tb_core *c)
{
	for (int s = 0; s < PAGE_SIZES; s++) {
		array_free(&c->itlb[s]);
		array_free(&c->dtlb[s]);
		array_free(&c->stlb[s]);
	}
	for (int i = 0; i < PWC_LEVELS; i++) {
		array_free(&c->pwc[i]);
		array_free(&c->npwc[i]);
	}
	array_free(&c->ntlb);
	array_free(&c->l1i);
	array_free(&c->l1d);
	array_free(&c->l2);
}

static void set_core(struct textbook *t, const struct nbt_run *run)
{
	unsigned share = t->spec->threads_per_core;
	struct tb_core *c =
		&t->core[share ? run->thread / share % t->cores : 0];

	if (c->process >= 0 && c->process != run->process && !t->p->asids) {
		for (int s = 0; s < PAGE_SIZES; s++) {
			array_empty(&c->itlb[s]);
			array_empty(&c->dtlb[s]);
			array_empty(&c->stlb[s]);
		}
		for (int i = 0; i < PWC_LEVELS; i++)
			array_empty(&c->pwc[i]);
	}
	c->process = run->process;
	t->now = c;
}

static void count_kind(struct walk_stats *s, u8 kind)
{
	s->accesses++;
	s->loads += NBT_WHAT(kind) == NBT_LOAD;
	s->fetches += NBT_WHAT(kind) == NBT_FETCH;
	s->stores +=
		NBT_WHAT(kind) == NBT_STORE || NBT_WHAT(kind) == NBT_ATOMIC;
}

static void replay(struct textbook *t, const struct nbt_reader *trace,
		   struct walk_log *log)
{
	const struct nbt_run *run = trace->run;
	const struct nbt_run *end = trace->run + trace->runs;
	va_t va;

	set_core(t, &(struct nbt_run){0});
	t->now->process = -1;
	for (size_t i = 0; i < trace->count; i++) {
		for (; run < end && run->at <= i; run++)
			set_core(t, run);
		if (i == t->spec->skip)
			memset(t->stats, 0, sizeof(*t->stats));
		if (keys_of(&t->keys, (u16)t->now->process, trace->addr[i],
			    &va) ||
		    space_touch(t->space, va, NULL))
			abort();
		count_kind(t->stats, trace->kind[i]);
		t->stats->instructions += trace->gap[i];
		access_one(t, va.v, NBT_WHAT(trace->kind[i]) == NBT_FETCH, log);
	}
}

void textbook_run(const struct nbt_reader *trace, const struct walk_spec *spec,
		  struct walk_stats *out, struct walk_log *log)
{
	struct textbook t = {.spec = spec, .p = spec->profile, .stats = out};
	struct walk_spec own = *spec;
	struct err err;

	memset(out, 0, sizeof(*out));
	keys_init(&t.keys);
	own.keys = &t.keys;
	t.space = space_new(&own, &err);
	t.cores = spec->threads_per_core ? t.p->cores : 1;
	t.core = calloc(t.cores, sizeof(*t.core));
	if (!t.space || !t.core)
		abort();
	for (u32 i = 0; i < t.cores; i++)
		make_core(&t.core[i], t.p);
	array_make(&t.l3, &t.p->l3);
	replay(&t, trace, log);
	space_memory(t.space, &out->memory);
	for (u32 i = 0; i < t.cores; i++)
		free_core(&t.core[i]);
	array_free(&t.l3);
	free(t.core);
	space_free(t.space);
}
