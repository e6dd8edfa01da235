/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk/ and test/unit/textbook, side by side, on random machines and random
 * traces: every walk, each of its references and where it hit, and all
 * counters are the same; with each build of the core.
 */
#include "test/unit/dice.h"
#include "test/unit/textbook.h"
#include "test/unit/unit.h"
#include "walk/design.h"
#include "walk/mmu.h"

#define ROUNDS	 50
#define ACCESSES 2000

static u32 below(u64 *s, u32 n)
{
	return (u32)(dice_word(s) >> 33) % n;
}

/* The design under test, which notes what each walk did. */
static struct walk_log *spy_log;
static const struct design *radix;

static void note_refs(struct walk_event *e, const struct walk_stats *before,
		      const struct walk_stats *after)
{
	for (u32 step = 0; step < STEPS; step++)
		for (u32 hit = 0; hit < HITS; hit++)
			if (after->ref_hit[step][hit] !=
			    before->ref_hit[step][hit]) {
				e->step[e->refs] = (u8)step;
				e->hit[e->refs++] = (u8)hit;
			}
}

static u32 spy_walk(struct mmu *m, va_t va)
{
	static struct walk_stats before;
	struct walk_event *e = log_add(spy_log);

	before = *m->stats;
	e->va = va.v;
	e->cycles = radix->walk(m, va);
	memcpy(e->below_l1, before.data_hit, sizeof(e->below_l1));
	e->below_l1[HIT_L1] = 0;
	note_refs(e, &before, m->stats);
	return e->cycles;
}

static struct geometry any_geometry(u64 *s, u32 sets_log2_min, u32 sets_log2)
{
	struct geometry g = {.policy = below(s, 2) ? POLICY_LRU
						   : below(s, POLICIES)};

	g.ways = g.policy == POLICY_PLRU ? 1u << below(s, 4) : 1 + below(s, 20);
	g.entries = g.ways << (sets_log2_min + below(s, sets_log2));
	g.cycles = 1 + below(s, 9);
	return g;
}

static void maybe(struct geometry *g, u64 *s)
{
	*g = below(s, 3) ? any_geometry(s, 0, 3) : (struct geometry){0};
}

/* Small, so that everything misses now and then. */
static void any_machine(struct profile *p, u64 *s)
{
	memset(p, 0, sizeof(*p));
	for (int i = 0; i < PAGE_SIZES; i++) {
		p->itlb[i] = any_geometry(s, 0, 3);
		p->dtlb[i] = any_geometry(s, 0, 3);
		p->stlb[i] = any_geometry(s, 0, 5);
		p->stlb_shared[i] = i && below(s, 2);
	}
	for (int i = 0; i < PWC_LEVELS; i++) {
		maybe(&p->pwc[i], s);
		maybe(&p->npwc[i], s);
	}
	maybe(&p->ntlb, s);
	p->l1i = any_geometry(s, 6, 1);
	p->l1d = any_geometry(s, 6, 1);
	p->l2 = any_geometry(s, 6, 2);
	p->l3 = any_geometry(s, 6, 2);
	p->l1d.cycles = 1 + below(s, 5);
	p->l2.cycles = 10 + below(s, 5);
	p->l3.cycles = 20 + below(s, 5);
	p->memory_cycles = 100 + below(s, 50);
	p->l3_inclusive = below(s, 2);
	p->pte_entry = ENTRY_L1 + below(s, 3);
	p->levels = 4 + below(s, 2);
	p->cores = 1 + below(s, 3);
	p->walkers = 1;
	p->cpi = 1;
	p->asids = below(s, 2);
}

/* Runs of accesses near each other, repeats, jumps between few places. */
static u64 any_address(u64 *s, u64 last)
{
	static const u64 base[] = {0x400000, 0x7f1234560000, 0x55aa00000000,
				   0x7ffff0000000};
	u64 place = base[below(s, ARRAY_SIZE(base))];

	switch (below(s, 6)) {
	case 0:
		return last;
	case 1:
	case 2:
		return last + 8;
	case 3:
		return place + below(s, 40) * 4096ull + below(s, 4096);
	case 4:
		return place + below(s, 1 << 26);
	default:
		return place + ((u64)below(s, 64) << 27) + below(s, 8192);
	}
}

static void any_trace(struct nbt_reader *t, u64 *s)
{
	u64 last = 0x400000;

	for (size_t i = 0; i < t->count; i++) {
		last = any_address(s, last);
		t->addr[i] = last;
		t->kind[i] =
			NBT_KIND(below(s, 12) ? below(s, 2) : NBT_FETCH, 3);
		t->gap[i] = (u8)(1 + below(s, 5));
	}
	t->runs = below(s, 2) ? 30 : 1;
	for (size_t i = 0; i < t->runs; i++)
		t->run[i] = (struct nbt_run){
			.at = (u32)(i * (t->count / t->runs)),
			.thread = (u16)below(s, 5),
			.process = (u16)below(s, 3),
		};
	t->block = 500 + below(s, 3000);
	t->info.has_events = true;
}

static void compare_logs(const struct walk_log *a, const struct walk_log *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const struct walk_event *x = &a->event[i], *y = &b->event[i];

		assert_int_equal(x->va, y->va);
		assert_int_equal(x->refs, y->refs);
		assert_memory_equal(x->step, y->step, x->refs);
		assert_memory_equal(x->hit, y->hit, x->refs);
		assert_int_equal(x->cycles, y->cycles);
		assert_memory_equal(x->below_l1, y->below_l1,
				    sizeof(x->below_l1));
	}
	assert_int_equal(a->count, b->count);
}

static void one_round(u64 seed, const struct design *spy)
{
	static u64 addr[ACCESSES];
	static u8 kind[ACCESSES], gap[ACCESSES];
	static struct nbt_run run[32];
	static struct walk_stats ours, theirs;
	struct nbt_reader trace = {.count = ACCESSES,
				   .addr = addr,
				   .kind = kind,
				   .gap = gap,
				   .run = run};
	struct walk_log our_log = {0}, their_log = {0};
	struct profile p;
	struct walk_spec spec = {.design = spy, .profile = &p, .seed = seed};
	struct err err;
	u64 s = seed * 0x9e3779b97f4a7c15ull | 1;

	dice_word(&s);
	any_machine(&p, &s);
	assert_int_equal(profile_check(&p, &err), 0);
	any_trace(&trace, &s);
	spec.env = below(&s, ENVS);
	spec.pages = below(&s, PAGES_MODES);
	spec.skip = below(&s, 2) ? below(&s, 2000) : 0;
	spec.threads_per_core = below(&s, 3);
	spy_log = &our_log;
	assert_int_equal(walk_run(&trace, &spec, NULL, &ours, &err), 0);
	textbook_run(&trace, &spec, &theirs, &their_log);
	compare_logs(&our_log, &their_log);
	ours.seconds = 0;
	memset(ours.charge_times, 0, sizeof(ours.charge_times));
	memset(ours.charge_instructions, 0, sizeof(ours.charge_instructions));
	assert_memory_equal(&ours, &theirs, sizeof(ours));
	free(our_log.event);
	free(their_log.event);
}

static void any_machine_is_the_textbooks(void **state)
{
	static const char *const isas[] = {"avx512", "avx2", "portable"};
	struct design spy = *walk_find_design("radix");

	(void)state;
	radix = walk_find_design("radix");
	spy.name = "spy";
	spy.walk = spy_walk;
	for (size_t i = 0; i < ARRAY_SIZE(isas); i++) {
		if (walk_choose_isa(isas[i]))
			continue;
		for (u64 seed = 1; seed <= ROUNDS; seed++)
			one_round(seed, &spy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_machine_is_the_textbooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
