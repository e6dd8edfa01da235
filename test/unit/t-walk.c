/* SPDX-License-Identifier: Apache-2.0 */
/* walk/: figures that others have found or that a hand can compute. */
#include <sys/mman.h>

#include "bench/pattern.h"
#include "test/unit/memory_trace.h"
#include "test/unit/unit.h"
#include "walk/design.h"
#include "walk/walk.h"

#define ACCESSES 3997696 /* those of the other simulators' figures */

static struct walk_stats out;

static void load(struct profile *p)
{
	struct err err;

	if (profile_load(p, "skylake-dmt", &err))
		fail_msg("%s", err.text);
}

static struct nbt_reader *pattern(const char *name)
{
	static struct nbt_reader r;
	struct accesses a;

	assert_int_equal(pattern_make(name, ACCESSES, &a), 0);
	r = (struct nbt_reader){.count = a.n,
				.addr = a.addr,
				.kind = a.kind,
				.gap = a.gap,
				.info.has_events = true};
	return &r;
}

static void forget(struct nbt_reader *r)
{
	free(r->addr);
	free(r->kind);
	free(r->gap);
}

static void run(const struct nbt_reader *r, const char *design, enum env env)
{
	struct profile p;
	struct walk_spec spec = {.env = env, .profile = &p, .seed = 1};
	struct err err;

	load(&p);
	spec.design = walk_find_design(design);
	assert_non_null(spec.design);
	if (walk_run(r, &spec, NULL, &out, &err))
		fail_msg("%s", err.text);
}

/* DynamoRIO's cache and TLB simulators count the same. */
static const struct {
	const char *pattern;
	u64 dtlb, stlb, l1d, l2;
} exact[] = {
	{"gups", 1998365, 1987276, 0, 0},
	{"btree", 558761, 390880, 1433922, 1004216},
	{"stream", 0, 0, 499713, 499713},
};

static void misses_are_those_of_other_simulators(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(exact); i++) {
		struct nbt_reader *r = pattern(exact[i].pattern);

		run(r, "perfect-tlb", ENV_NATIVE);
		forget(r);
		assert_int_equal(out.accesses, ACCESSES);
		assert_int_equal(out.refs, 0);
		assert_int_equal(out.walk_cycles, 0);
		if (exact[i].dtlb) {
			assert_int_equal(out.dtlb_misses, exact[i].dtlb);
			assert_int_equal(out.stlb_misses, exact[i].stlb);
		}
		if (exact[i].l1d) {
			assert_int_equal(out.accesses - out.data_hit[HIT_L1],
					 exact[i].l1d);
			assert_int_equal(out.data_hit[HIT_L3] +
						 out.data_hit[HIT_MEMORY],
					 exact[i].l2);
		}
	}
}

/* A machine whose walks read everything. */
static void without_pwcs(struct profile *p)
{
	load(p);
	for (int i = 0; i < PWC_LEVELS; i++)
		p->pwc[i].entries = p->npwc[i].entries = 0;
	p->ntlb.entries = 0;
}

static const struct {
	u32 levels;
	enum env env;
	enum pages pages; /* PAGES_THP, without a VMA: guest 4K, host 2M */
	u64 refs;
} by_hand[] = {
	{4, ENV_NATIVE, PAGES_4K, 4},  {5, ENV_NATIVE, PAGES_4K, 5},
	{4, ENV_NATIVE, PAGES_2M, 3},  {4, ENV_VIRT, PAGES_4K, 24},
	{5, ENV_VIRT, PAGES_4K, 35},   {4, ENV_VIRT, PAGES_THP, 19},
	{4, ENV_VIRT, PAGES_2M, 15},   {4, ENV_NESTED, PAGES_4K, 24},
	{5, ENV_NESTED, PAGES_4K, 35}, {4, ENV_NESTED, PAGES_2M, 15},
};

static void walks_have_the_references_of_the_book(void **state)
{
	u64 addr = 0x7f0000001000;
	struct nbt_reader r = {
		.count = 1, .addr = &addr, .info.has_events = true};
	struct profile p;
	struct err err;

	(void)state;
	without_pwcs(&p);
	for (size_t i = 0; i < ARRAY_SIZE(by_hand); i++) {
		struct walk_spec spec = {.design = walk_find_design("radix"),
					 .env = by_hand[i].env,
					 .pages = by_hand[i].pages,
					 .profile = &p};

		p.levels = by_hand[i].levels;
		assert_int_equal(walk_run(&r, &spec, NULL, &out, &err), 0);
		assert_int_equal(out.stlb_misses, 1);
		assert_int_equal(out.refs, by_hand[i].refs);
	}
}

/* How often the last run made the reference @name. */
static u64 refs_of(enum env env, const char *name)
{
	const char *const *steps = walk_find_design("radix")->steps[env];
	u64 refs = 0;
	int step = 0;

	while (strcmp(steps[step], name) != 0)
		step++;
	for (int hit = 0; hit < HITS; hit++)
		refs += out.ref_hit[step][hit];
	return refs;
}

/* The second of two walks next to each other needs the leaf only; all of it
 * without the caches that make the difference. */
static void pwcs_are_what_shortens_walks(void **state)
{
	u64 addr[2] = {0x7f0000000000, 0x7f0000001000};
	struct nbt_reader r = {
		.count = 2, .addr = addr, .info.has_events = true};
	struct profile p;
	struct walk_spec spec = {.design = walk_find_design("radix"),
				 .profile = &p};
	struct err err;

	(void)state;
	run(&r, "radix", ENV_NATIVE);
	assert_int_equal(out.refs, 4 + 1);
	/* gL2 is read once, gL1 twice. */
	run(&r, "radix", ENV_VIRT);
	assert_int_equal(out.stlb_misses, 2);
	assert_int_equal(refs_of(ENV_VIRT, "gL2"), 1);
	assert_int_equal(refs_of(ENV_VIRT, "gL1"), 2);
	without_pwcs(&p);
	assert_int_equal(walk_run(&r, &spec, NULL, &out, &err), 0);
	assert_int_equal(out.refs, 4 + 4);
}

/*
 * The same in virt, by what the machine has for the host's tree. Nothing: 24
 * and
 * 24. A nested TLB: the second walk misses it for its page only, 4 + 4. PWCs:
 * the tables of gL4 to gL1 are in one GiB, so that the host's walks read 4, 2,
 * 2 and 2 entries, and 4 for the page, which is far from them; then one each.
 */
static void nested_caches_shorten_walks(void **state)
{
	static const struct {
		bool ntlb, npwc;
		u64 refs;
	} with[] = {{false, false, 24 + 24},
		    {true, false, 24 + 4 + 4},
		    {false, true, 4 + 14 + 4 + 5}};
	u64 addr[2] = {0x7f0000000000, 0x7f0000001000};
	struct nbt_reader r = {
		.count = 2, .addr = addr, .info.has_events = true};
	struct profile p, whole;
	struct walk_spec spec = {.design = walk_find_design("radix"),
				 .env = ENV_VIRT,
				 .profile = &p};
	struct err err;

	(void)state;
	load(&whole);
	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		without_pwcs(&p);
		if (with[i].ntlb)
			p.ntlb = (struct geometry){.entries = 16, .ways = 16};
		if (with[i].npwc)
			memcpy(p.npwc, whole.npwc, sizeof(p.npwc));
		assert_int_equal(walk_run(&r, &spec, NULL, &out, &err), 0);
		assert_int_equal(out.refs, with[i].refs);
	}
}

static const enum charge faults[] = {CHARGE_PAGE_FAULT, CHARGE_NPT_FAULT};

/*
 * Two pages side by side. Natively the OS maps both. In virt the hypervisor
 * maps them and the 4 tables above, each in a place of its own: 6. In nested
 * L1 does, two exits each, and L0 maps what L1 has: those 6 pages and L1's 10
 * tables for them (test_nested_radix_exits() in t-designs.c counts those). In
 * 2 MiB pages both are one, with 3 tables above: 4 for a hypervisor; L1 has
 * for them tables of levels 4, 3 and 2 for the page, of 3 and 2 for tables:
 * each level in a page of 2 MiB of its own, but those of level 2, which are
 * 2^41 - 2^30 bytes apart in what they map, in two.
 */
static const struct {
	enum env env;
	enum pages pages;
	u64 faults[2];
} first_touches[] = {
	{ENV_NATIVE, PAGES_4K, {2, 0}},
	{ENV_VIRT, PAGES_4K, {2, 6}},
	{ENV_NESTED, PAGES_4K, {2, 2 * 6 + 6 + 10}},
	{ENV_VIRT, PAGES_2M, {1, 4}},
	{ENV_NESTED, PAGES_2M, {1, 2 * 4 + 4 + 4}},
};

static void first_touches_are_faults(void **state)
{
	static const char *const designs[] = {"radix", "one-ref"};
	u64 addr[3] = {0x7f0000000000, 0x7f0000001000, 0x7f0000000000};
	struct nbt_reader r = {
		.count = 3, .addr = addr, .info.has_events = true};
	struct profile p;
	struct err err;

	(void)state;
	load(&p);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(first_touches); i++) {
		struct walk_spec spec = {
			.design = walk_find_design(designs[i % 2]),
			.env = first_touches[i / 2].env,
			.pages = first_touches[i / 2].pages,
			.profile = &p};

		assert_int_equal(walk_run(&r, &spec, NULL, &out, &err), 0);
		for (int k = 0; k < 2; k++)
			assert_int_equal(out.charge_times[faults[k]],
					 first_touches[i / 2].faults[k]);
	}
}

/* A page has 4 tables; in nested L1 has 10 for that (see above). */
static void shadows_are_tables_too(void **state)
{
	static const struct {
		const char *design;
		enum env env;
		u64 shadows; /* tables of them */
	} rows[] = {{"radix", ENV_VIRT, 0},    {"shadow", ENV_VIRT, 4},
		    {"radix", ENV_NESTED, 10}, {"shadow", ENV_NESTED, 8},
		    {"pvdmt", ENV_NESTED, 0},  {"one-ref", ENV_NESTED, 0}};
	u64 addr = 0x7f0000000000, all;
	struct nbt_reader r = {
		.count = 1, .addr = &addr, .info.has_events = true};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		run(&r, rows[i].design, rows[i].env);
		assert_int_equal(out.memory.extra, rows[i].shadows << 12);
		all = out.memory.extra;
		for (int d = 0; d < DIM_MAX; d++)
			all += out.memory.tables[d];
		assert_int_equal(out.memory.peak, all);
	}
}

#define TABLES 16u /* of level 1, each with a page */

/* 16 tables under the same three, all of which go with their VMA; then 4 for
 * the last access. DMT has a TEA of 512 tables, 16 of which are those. */
static void tables_have_a_peak(void **state)
{
	static const u64 at = 0x7f0000000000;
	u64 addr[TABLES + 1] = {[TABLES] = 0x1000};
	struct nbt_event event[] = {
		{.type = NBT_MAP,
		 .arg = {at, 1u << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS}},
		{.type = NBT_UNMAP, .at = TABLES, .arg = {at, 1u << 30}},
	};
	struct nbt_reader r = {.count = TABLES + 1,
			       .addr = addr,
			       .event = event,
			       .events = ARRAY_SIZE(event),
			       .info.has_events = true};

	(void)state;
	for (size_t i = 0; i < TABLES; i++)
		addr[i] = at + (i << 21);
	run(&r, "radix", ENV_NATIVE);
	assert_int_equal(out.memory.tables[0], 4 << 12);
	assert_int_equal(out.memory.peak, (3 + TABLES) << 12);
	run(&r, "dmt", ENV_NATIVE);
	assert_int_equal(out.memory.tables[0], 4 << 12);
	assert_int_equal(out.memory.peak, (3 + 512) << 12);
}

static void one_ref_is_one(void **state)
{
	struct nbt_reader *r = pattern("gups");

	(void)state;
	r->count = 100000;
	for (int env = 0; env < ENVS; env++) {
		run(r, "one-ref", env);
		assert_true(out.stlb_misses > 40000);
		assert_int_equal(out.refs, out.stlb_misses);
	}
	forget(r);
}

/* Warm-up, the limit, and blocks that cannot be read. */
static void parts_of_a_trace_are_counted(void **state)
{
	struct nbt_reader *r = pattern("gups");
	struct profile p;
	struct walk_spec spec = {.design = walk_find_design("radix"),
				 .profile = &p,
				 .skip = 70001,
				 .limit = 1000};
	struct err err;
	u64 instructions = 0;

	(void)state;
	load(&p);
	r->count = 200000;
	assert_int_equal(walk_run(r, &spec, NULL, &out, &err), 0);
	assert_int_equal(out.accesses, 1000);
	for (size_t i = 70001; i < 71001; i++)
		instructions += r->gap[i];
	assert_int_equal(out.instructions, instructions);
	assert_true(out.stlb_misses > 400 && out.stlb_misses < 600);
	r->damaged = 1;
	spec.skip = 0;
	spec.limit = 0;
	assert_int_equal(walk_run(r, &spec, NULL, &out, &err), 0);
	assert_int_equal(out.lost_blocks, 1);
	assert_int_equal(out.accesses, 200000 - NBT_BLOCK);
	spec.skip = 200000;
	assert_int_equal(walk_run(r, &spec, NULL, &out, &err), -1);
	assert_string_equal(err.text,
			    "the trace ends before what is to be skipped");
	forget(r);
}

static int stop(void *ctx, u64 accesses)
{
	*(u64 *)ctx = accesses;
	return accesses > NBT_BLOCK;
}

static void progress_ends_a_run(void **state)
{
	struct nbt_reader *r = pattern("stream");
	struct profile p;
	struct walk_spec spec = {.design = walk_find_design("radix"),
				 .profile = &p};
	u64 accesses = 0;
	struct walk_progress progress = {stop, &accesses};
	struct err err;

	(void)state;
	load(&p);
	assert_int_equal(walk_run(r, &spec, &progress, &out, &err), -1);
	assert_int_equal(accesses, 2 * NBT_BLOCK);
	forget(r);
}

static void too_many_regions_are_refused(void **state)
{
	u64 addr[REGIONS + 1];
	struct nbt_reader r = {
		.count = REGIONS + 1, .addr = addr, .info.has_events = true};
	struct profile p;
	struct walk_spec spec = {.design = walk_find_design("radix"),
				 .profile = &p};
	struct err err;

	(void)state;
	load(&p);
	for (size_t i = 0; i <= REGIONS; i++)
		addr[i] = i << REGION_SHIFT;
	assert_int_equal(walk_run(&r, &spec, NULL, &out, &err), -1);
	assert_non_null(strstr(err.text, "128 regions"));
	r.count = REGIONS;
	assert_int_equal(walk_run(&r, &spec, NULL, &out, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misses_are_those_of_other_simulators),
		cmocka_unit_test(walks_have_the_references_of_the_book),
		cmocka_unit_test(pwcs_are_what_shortens_walks),
		cmocka_unit_test(nested_caches_shorten_walks),
		cmocka_unit_test(first_touches_are_faults),
		cmocka_unit_test(shadows_are_tables_too),
		cmocka_unit_test(tables_have_a_peak),
		cmocka_unit_test(one_ref_is_one),
		cmocka_unit_test(parts_of_a_trace_are_counted),
		cmocka_unit_test(progress_ends_a_run),
		cmocka_unit_test(too_many_regions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
