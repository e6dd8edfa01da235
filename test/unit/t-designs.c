/* SPDX-License-Identifier: Apache-2.0 */
/*
 * radix, shadow, dmt and pvdmt: references counted by hand, where they go, what
 * they cost, and that each is as good as its structure: without registers DMT
 * is radix, without gTEAs pvDMT is DMT.
 */
#include <sys/mman.h>

#include "test/unit/dice.h"
#include "test/unit/fake_mmu.h"
#include "test/unit/unit.h"
#include "walk/design/dmt.h"
#include "walk/designs.h"
#include "walk/space_inline.h"

#define AT   0x7f0000000000ull
#define MIB  (1ull << 20)
#define GIB  (1ull << 30)
#define WALK 2000u

static u64 seed;

static u64 draw(u64 n)
{
	return dice_below(&seed, n);
}

static void start(struct fake *f, const struct design *d)
{
	struct err err;

	f->mmu.design = d;
	assert_int_equal(d->start(&f->mmu, &err), 0);
}

/* References of a walk in a machine without caches for them. */
static unsigned refs(const struct design *d, enum env env, enum pages pages,
		     enum page_size host)
{
	struct fake f;
	unsigned n;

	fake_init(&f, env, pages, host);
	start(&f, d);
	fake_map(&f, AT, GIB);
	fake_walk(&f, d, AT + 0x12345678);
	n = f.refs;
	assert_int_equal(f.stats.fallbacks, 0);
	fake_free(&f);
	return n;
}

static unsigned refs_5_levels(const struct design *d, enum env env)
{
	struct fake f;
	unsigned n;

	fake_init(&f, env, PAGES_4K, SIZE_4K);
	space_free(f.mmu.space);
	f.profile.levels = 5;
	f.mmu.space = space_new(&f.spec, NULL);
	start(&f, d);
	fake_map(&f, AT, GIB);
	fake_walk(&f, d, AT);
	n = f.refs;
	fake_free(&f);
	return n;
}

static void test_references(void **state)
{
	const enum page_size k4 = SIZE_4K, m2 = SIZE_2M;

	(void)state;
	assert_int_equal(refs(&design_radix, ENV_NATIVE, PAGES_4K, k4), 4);
	assert_int_equal(refs(&design_radix, ENV_NATIVE, PAGES_2M, k4), 3);
	assert_int_equal(refs(&design_radix, ENV_VIRT, PAGES_4K, k4), 24);
	assert_int_equal(refs(&design_radix, ENV_VIRT, PAGES_4K, m2), 19);
	assert_int_equal(refs(&design_radix, ENV_VIRT, PAGES_2M, m2), 15);
	assert_int_equal(refs(&design_radix, ENV_NESTED, PAGES_4K, k4), 24);
	assert_int_equal(refs_5_levels(&design_radix, ENV_NATIVE), 5);
	assert_int_equal(refs_5_levels(&design_radix, ENV_VIRT), 35);
	assert_int_equal(refs(&design_shadow, ENV_VIRT, PAGES_4K, k4), 4);
	assert_int_equal(refs(&design_shadow, ENV_VIRT, PAGES_2M, m2), 3);
	assert_int_equal(refs(&design_shadow, ENV_VIRT, PAGES_2M, k4), 4);
	assert_int_equal(refs(&design_shadow, ENV_NESTED, PAGES_4K, k4), 4);
	assert_int_equal(refs(&design_dmt, ENV_NATIVE, PAGES_4K, k4), 1);
	assert_int_equal(refs(&design_dmt, ENV_VIRT, PAGES_4K, k4), 3);
	assert_int_equal(refs(&design_dmt, ENV_VIRT, PAGES_2M, m2), 3);
	assert_int_equal(refs(&design_pvdmt, ENV_VIRT, PAGES_4K, k4), 2);
	assert_int_equal(refs(&design_pvdmt, ENV_VIRT, PAGES_4K, m2), 2);
	assert_int_equal(refs(&design_pvdmt, ENV_NESTED, PAGES_4K, k4), 3);
	assert_int_equal(refs(&design_pvdmt, ENV_NESTED, PAGES_2M, m2), 3);
}

/* The same under FRAMES_BUDDY, where what is not mapped reads as frame 0. */
static void test_allocated_frames(void **state)
{
	const struct {
		const struct design *d;
		enum env env;
		unsigned refs;
	} rows[] = {{&design_radix, ENV_NATIVE, 4},
		    {&design_radix, ENV_VIRT, 24},
		    {&design_radix, ENV_NESTED, 24},
		    {&design_shadow, ENV_NESTED, 4},
		    {&design_dmt, ENV_NATIVE, 1},
		    {&design_dmt, ENV_VIRT, 3},
		    {&design_pvdmt, ENV_VIRT, 2},
		    {&design_pvdmt, ENV_NESTED, 3}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake f;

		fake_init_buddy(&f, rows[i].env, PAGES_4K, SIZE_4K);
		start(&f, rows[i].d);
		fake_map(&f, AT, GIB);
		for (u64 n = 0; n < 100; n++) {
			fake_walk(&f, rows[i].d, AT + n * 5 * MIB);
			assert_int_equal(f.refs, rows[i].refs);
			for (unsigned k = 0; k < f.refs; k++)
				assert_true(f.ref[k].pa >= 0x1000);
		}
		assert_int_equal(f.stats.fallbacks, 0);
		fake_free(&f);
	}
}

static void test_what_papers_do_not_define_is_refused(void **state)
{
	(void)state;
	assert_non_null(design_dmt.refused[ENV_NESTED]);
	assert_non_null(design_pvdmt.refused[ENV_NATIVE]);
	assert_non_null(design_shadow.refused[ENV_NATIVE]);
	assert_null(design_dmt.refused[ENV_NATIVE]);
	assert_null(design_dmt.refused[ENV_VIRT]);
	assert_null(design_pvdmt.refused[ENV_VIRT]);
	assert_null(design_pvdmt.refused[ENV_NESTED]);
}

/* Where they go ************************************************************/

static u64 tea_base(struct fake *f, unsigned d)
{
	size_t n;
	const struct tea *t = space_teas(f->mmu.space, d, 1, &n);

	assert_true(n >= 1);
	return t->base;
}

static void assert_ref(const struct fake *f, unsigned n, u64 pa,
		       const char *name)
{
	const struct design *d = f->mmu.design;

	assert_true(n < f->refs);
	assert_int_equal(f->ref[n].pa, pa);
	assert_string_equal(d->steps[f->mmu.env][f->ref[n].step], name);
}

/* Page 0x12345 of the VMA: its entry is 0x91a28 behind the TEA's begin. */
static void test_dmt_native(void **state)
{
	struct fake f;
	u32 cycles;

	(void)state;
	fake_init(&f, ENV_NATIVE, PAGES_4K, SIZE_4K);
	start(&f, &design_dmt);
	fake_map(&f, AT, GIB);
	cycles = fake_walk(&f, &design_dmt, AT + 0x12345678);
	assert_ref(&f, 0, tea_base(&f, 0) + 0x91a28, "PTE");
	assert_int_equal(cycles, fake_cycles(f.ref[0].pa));
	fake_free(&f);
}

static void test_dmt_virt(void **state)
{
	const struct dim *host;
	struct fake f;
	u64 entry, page;
	va_t key;
	u32 cycles;

	(void)state;
	fake_init(&f, ENV_VIRT, PAGES_4K, SIZE_4K);
	start(&f, &design_dmt);
	fake_map(&f, AT, GIB);
	cycles = fake_walk(&f, &design_dmt, AT + 0x12345678);
	keys_of(&f.keys, 1, AT + 0x12345678, &key);
	host = space_dim(f.mmu.space, 1);
	entry = tea_base(&f, 0) + 0x91a28;
	page = dim_map(space_dim(f.mmu.space, 0), key.v).out;
	assert_ref(&f, 0, tea_base(&f, 1) + (entry >> 12) * 8, "hPTE(gPTE)");
	assert_ref(&f, 1, dim_map(host, entry).out, "gPTE");
	assert_ref(&f, 2, tea_base(&f, 1) + (page >> 12) * 8, "hPTE");
	assert_int_equal(cycles,
			 f.ref[0].cycles + f.ref[1].cycles + f.ref[2].cycles);
	fake_free(&f);
}

static void test_pvdmt_nested(void **state)
{
	struct fake f;
	u64 l2pa, l1pa;
	va_t key;

	(void)state;
	fake_init(&f, ENV_NESTED, PAGES_4K, SIZE_4K);
	start(&f, &design_pvdmt);
	fake_map(&f, AT, GIB);
	fake_walk(&f, &design_pvdmt, AT + 0x12345678);
	keys_of(&f.keys, 1, AT + 0x12345678, &key);
	l2pa = dim_map(space_dim(f.mmu.space, 0), key.v).out;
	l1pa = dim_map(space_dim(f.mmu.space, 1), l2pa).out;
	assert_ref(&f, 0, tea_base(&f, 0) + 0x91a28, "L2PTE");
	assert_ref(&f, 1, tea_base(&f, 1) + (l2pa >> 12) * 8, "L1PTE");
	assert_ref(&f, 2, tea_base(&f, 2) + (l1pa >> 12) * 8, "L0PTE");
	fake_free(&f);
}

/* No two dimensions' TEAs, and no TEA and page, share host memory. */
static void test_tea_areas_are_apart(void **state)
{
	struct fake f;
	u64 lower[DIMS + 1] = {0}, high = 1ull << (KEY_BITS + 3);

	(void)state;
	fake_init(&f, ENV_NESTED, PAGES_4K, SIZE_4K);
	start(&f, &design_pvdmt);
	fake_map(&f, AT, 64 * GIB);
	for (unsigned d = 0; d < DIMS; d++) {
		u64 bytes = 1ull << (KEY_BITS + d - 12 + 3);
		u64 base = tea_base(&f, d);

		assert_true(base >= 1ull << (KEY_BITS + 2));
		assert_true(base + bytes <= high);
		for (unsigned i = 0; i < d; i++)
			assert_true(lower[i] + (bytes >> (d - i)) <= base ||
				    base + bytes <= lower[i]);
		lower[d] = base;
	}
	fake_free(&f);
}

/* The last page of the VMA is small, and in what the TEA-L2 covers. */
static void test_pages_of_two_sizes_are_asked_at_once(void **state)
{
	struct fake f;
	u32 cycles, a, b;

	(void)state;
	fake_init(&f, ENV_NATIVE, PAGES_THP, SIZE_4K);
	start(&f, &design_dmt);
	fake_map(&f, AT, 10 * MIB + 0x1000);
	cycles = fake_walk(&f, &design_dmt, AT);
	assert_int_equal(f.refs, 1);
	assert_int_equal(cycles, f.ref[0].cycles);
	for (u64 n = 0; n < 2; n++) {
		cycles = fake_walk(&f, &design_dmt, AT + 10 * MIB + n);
		assert_int_equal(f.refs, 2);
		a = f.ref[0].cycles;
		b = f.ref[1].cycles;
		assert_int_equal(cycles, a > b ? a : b);
	}
	assert_int_equal(f.stats.fallbacks, 0);
	fake_free(&f);
}

/* A large page that mprotect() splits has no TEA-L1: its TEA-L2 is asked in
 * vain. */
static void test_split_pages_fall_back(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, ENV_NATIVE, PAGES_THP, SIZE_4K);
	start(&f, &design_dmt);
	fake_map(&f, AT, 16 * MIB);
	fake_walk(&f, &design_dmt, AT + 4 * MIB);
	fake_event(&f, NBT_ADVISE,
		   ARGS(AT + 4 * MIB, 0x1000, MADV_DONTNEED, 0));
	fake_walk(&f, &design_dmt, AT + 5 * MIB);
	assert_int_equal(f.refs, 1 + 4);
	assert_int_equal(f.stats.fallbacks, 1);
	fake_free(&f);
}

/* A 17th VMA, which is the smallest, has no register. */
static void test_the_smallest_falls_back(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, ENV_NATIVE, PAGES_4K, SIZE_4K);
	start(&f, &design_dmt);
	for (u64 i = 0; i < 17; i++)
		fake_map(&f, AT + i * 16 * GIB, (17 - i) * 2 * MIB);
	for (u64 i = 0; i < 17; i++) {
		fake_walk(&f, &design_dmt, AT + i * 16 * GIB);
		assert_int_equal(f.refs, i < 16 ? 1 : 4);
	}
	assert_int_equal(f.stats.fallbacks, 1);
	fake_event(&f, NBT_UNMAP, ARGS(AT, GIB, 0, 0));
	fake_walk(&f, &design_dmt, AT + 16ull * 16 * GIB);
	assert_int_equal(f.refs, 1);
	fake_free(&f);
}

/* Without what makes them **************************************************/

static int start_dmt_0(struct mmu *m, struct err *err)
{
	return dmt_start(m, 0, err);
}

static int start_pvdmt_0(struct mmu *m, struct err *err)
{
	return pvdmt_start(m, 0, true, err);
}

static int start_pvdmt_no_gtea(struct mmu *m, struct err *err)
{
	return pvdmt_start(m, TEA_REGISTERS, false, err);
}

/* The design @d, started differently, walks as @like does. */
static void compare(const struct design *d,
		    int (*other)(struct mmu *m, struct err *err),
		    const struct design *like, enum env env)
{
	struct design changed = *d;
	struct fake a, b;

	changed.start = other;
	fake_init(&a, env, PAGES_THP, SIZE_4K);
	fake_init(&b, env, PAGES_THP, SIZE_4K);
	fake_add_pwcs(&a);
	fake_add_pwcs(&b);
	start(&a, &changed);
	start(&b, like);
	for (u64 i = 0; i < 20; i++) {
		fake_map(&a, AT + i * GIB, (i % 5 + 1) * 3 * MIB);
		fake_map(&b, AT + i * GIB, (i % 5 + 1) * 3 * MIB);
	}
	for (unsigned i = 0; i < WALK; i++) {
		u64 vma = draw(20);
		u64 at = AT + vma * GIB + draw((vma % 5 + 1) * 3 * MIB);

		assert_int_equal(fake_walk(&a, &changed, at),
				 fake_walk(&b, like, at));
		assert_int_equal(a.refs, b.refs);
		assert_memory_equal(a.ref, b.ref, a.refs * sizeof(*a.ref));
	}
	fake_free(&a);
	fake_free(&b);
}

static void test_no_registers_is_radix(void **state)
{
	(void)state;
	compare(&design_dmt, start_dmt_0, &design_radix, ENV_NATIVE);
	compare(&design_dmt, start_dmt_0, &design_radix, ENV_VIRT);
	compare(&design_pvdmt, start_pvdmt_0, &design_radix, ENV_VIRT);
	compare(&design_pvdmt, start_pvdmt_0, &design_radix, ENV_NESTED);
}

static void test_no_gtea_is_dmt_or_radix(void **state)
{
	(void)state;
	compare(&design_pvdmt, start_pvdmt_no_gtea, &design_dmt, ENV_VIRT);
	compare(&design_pvdmt, start_pvdmt_no_gtea, &design_radix, ENV_NESTED);
}

/* Anatomies name the steps of a fallback as radix does. */
static void test_steps_begin_with_those_of_radix(void **state)
{
	const struct design *const designs[] = {&design_dmt, &design_pvdmt};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		for (int env = 0; env < ENVS; env++) {
			const char *const *own = designs[i]->steps[env];
			const char *const *radix = design_radix.steps[env];

			for (; own && *radix; own++, radix++)
				assert_string_equal(*own, *radix);
		}
}

/* Two places that share nothing but the root: what a walk of the one leaves in
 * the PWCs of levels 4 and 5 is of no use to the other. */
static void test_pwcs_tell_tables_apart(void **state)
{
	const struct design *const designs[] = {&design_radix, &design_shadow};
	const u64 far[] = {1ull << 39, 1ull << 48};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		unsigned levels = 4 + i / 2;
		const struct design *d = designs[i % 2];
		struct fake f;

		fake_init(&f, i % 2 ? ENV_VIRT : ENV_NATIVE, PAGES_4K, SIZE_4K);
		f.profile.levels = levels;
		space_free(f.mmu.space);
		f.mmu.space = space_new_host(&f.spec, SIZE_4K, NULL);
		fake_add_pwcs(&f);
		start(&f, d);
		fake_walk(&f, d, AT);
		fake_walk(&f, d, AT ^ far[i / 2]);
		assert_int_equal(f.refs, levels);
		fake_walk(&f, d, AT + GIB);
		assert_int_equal(f.refs, 3);
		fake_free(&f);
	}
}

static void test_shadow_needs_its_pwcs(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, ENV_VIRT, PAGES_4K, SIZE_4K);
	fake_add_pwcs(&f);
	start(&f, &design_shadow);
	fake_map(&f, AT, GIB);
	fake_walk(&f, &design_shadow, AT);
	assert_int_equal(f.refs, 4);
	fake_walk(&f, &design_shadow, AT + 0x1000);
	assert_int_equal(f.refs, 1);
	fake_walk(&f, &design_shadow, AT + 4 * MIB);
	assert_int_equal(f.refs, 2);
	design_shadow.switched(&f.mmu, 2);
	fake_walk(&f, &design_shadow, AT + 0x2000);
	assert_int_equal(f.refs, 1);
	fake_event(&f, NBT_UNMAP, ARGS(AT, 0x1000, 0, 0));
	fake_walk(&f, &design_shadow, AT + 0x2000);
	assert_int_equal(f.refs, 4);
	fake_free(&f);
}

/* What they cost ***********************************************************/

static void test_shadow_exits(void **state)
{
	static struct fake f;
	const u64 *times = f.stats.charge_times;

	(void)state;
	fake_init(&f, ENV_VIRT, PAGES_4K, SIZE_4K);
	start(&f, &design_shadow);
	fake_map(&f, AT, GIB);
	fake_walk(&f, &design_shadow, AT); /* 4 tables, 1 page */
	assert_int_equal(times[CHARGE_TABLE_WRITE], 5);
	assert_int_equal(times[CHARGE_SHADOW_FILL], 2);
	fake_walk(&f, &design_shadow, AT + 0x1000);
	assert_int_equal(times[CHARGE_TABLE_WRITE], 6);
	assert_int_equal(times[CHARGE_SHADOW_FILL], 4);
	fake_walk(&f, &design_shadow, AT + 0x1000);
	assert_int_equal(times[CHARGE_TABLE_WRITE], 6);
	fake_event(&f, NBT_PROTECT, ARGS(AT, 0x2000, PROT_NONE, 0));
	assert_int_equal(times[CHARGE_TABLE_WRITE], 8);
	assert_int_equal(times[CHARGE_SHADOW_FILL], 6);
	assert_int_equal(times[CHARGE_INVLPG], 2);
	for (u64 i = 2; i < 40; i++)
		fake_walk(&f, &design_shadow, AT + (i << 12));
	fake_event(&f, NBT_UNMAP, ARGS(AT, 40 << 12, 0, 0));
	assert_int_equal(times[CHARGE_TABLE_WRITE], 8 + 38 + 40);
	assert_int_equal(times[CHARGE_INVLPG], 2);
	assert_int_equal(times[CHARGE_CR3], 1);
	design_shadow.switched(&f.mmu, 2);
	assert_int_equal(times[CHARGE_CR3], 2);
	fake_free(&f);
}

/* A hypervisor that does not watch the guest's tables has no exits, and walks
 * by entries that the guest has taken back. */
static void test_shadow_needs_its_exits(void **state)
{
	struct design blind = design_shadow;
	const struct design *const designs[] = {&design_shadow, &blind};
	const unsigned refs[] = {4, 1}, exits[] = {2, 0};

	(void)state;
	blind.changed = NULL;
	for (unsigned i = 0; i < 2; i++) {
		struct fake f;

		fake_init(&f, ENV_VIRT, PAGES_4K, SIZE_4K);
		fake_add_pwcs(&f);
		start(&f, designs[i]);
		fake_map(&f, AT, GIB);
		fake_walk(&f, designs[i], AT);
		assert_int_equal(f.stats.charge_times[CHARGE_SHADOW_FILL],
				 exits[i]);
		fake_event(&f, NBT_UNMAP, ARGS(AT, 0x1000, 0, 0));
		fake_walk(&f, designs[i], AT + 0x1000);
		assert_int_equal(f.refs, refs[i]);
		fake_free(&f);
	}
}

static void test_nested_shadow_exits_twice(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, ENV_NESTED, PAGES_4K, SIZE_4K);
	start(&f, &design_shadow);
	fake_map(&f, AT, GIB);
	fake_walk(&f, &design_shadow, AT);
	assert_int_equal(f.stats.charge_times[CHARGE_TABLE_WRITE], 10);
	assert_int_equal(f.stats.charge_times[CHARGE_SHADOW_FILL], 4);
	fake_free(&f);
}

/* Entries that L1 writes into its nested tables, which L0 has merged with its
 * own: of the page, of 4 tables of L2, of 10 tables of L1 for those 5 pages
 * (walk/dim.h: one of levels 4, 3, 2 and 1 for the page; of 3 and 2 for L2's
 * tables, and of level 1 one for each of their levels). */
static void test_nested_radix_exits(void **state)
{
	static struct fake f;
	const u64 *times = f.stats.charge_times;

	(void)state;
	fake_init(&f, ENV_NESTED, PAGES_4K, SIZE_4K);
	start(&f, &design_radix);
	fake_map(&f, AT, GIB);
	fake_walk(&f, &design_radix, AT);
	assert_int_equal(times[CHARGE_TABLE_WRITE], 5 + 10);
	assert_int_equal(times[CHARGE_SHADOW_FILL], 5);
	fake_walk(&f, &design_radix, AT + 0x1000);
	assert_int_equal(times[CHARGE_TABLE_WRITE], 5 + 10 + 1);
	assert_int_equal(times[CHARGE_SHADOW_FILL], 5 + 1);
	fake_free(&f);
}

/* Nobody else has a shadow to keep. */
static void test_others_keep_no_shadow(void **state)
{
	const struct {
		const struct design *d;
		enum env env;
	} rows[] = {{&design_radix, ENV_NATIVE}, {&design_radix, ENV_VIRT},
		    {&design_dmt, ENV_NATIVE},	 {&design_dmt, ENV_VIRT},
		    {&design_pvdmt, ENV_VIRT},	 {&design_pvdmt, ENV_NESTED}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake f;

		fake_init(&f, rows[i].env, PAGES_4K, SIZE_4K);
		start(&f, rows[i].d);
		fake_map(&f, AT, GIB);
		fake_walk(&f, rows[i].d, AT);
		assert_int_equal(f.stats.charge_times[CHARGE_TABLE_WRITE], 0);
		assert_int_equal(f.stats.charge_times[CHARGE_SHADOW_FILL], 0);
		fake_free(&f);
	}
}

/* A TEA of 512 pages: 0.94 us each; pvDMT also asks for it, 1.88 or 10.75 us:
 * section 6.3 of the paper, at 2 GHz. */
static u64 tea_cost(const struct design *d, enum env env)
{
	struct fake f;
	u64 cost;

	fake_init(&f, env, PAGES_4K, SIZE_4K);
	start(&f, d);
	fake_map(&f, AT, GIB);
	assert_int_equal(f.stats.charge_times[CHARGE_TEA], 1);
	assert_int_equal(f.stats.charge_times[CHARGE_HYPERCALL],
			 d == &design_pvdmt ? env : 0);
	cost = f.stats.charge_instructions[CHARGE_TEA] +
	       f.stats.charge_instructions[CHARGE_HYPERCALL];
	fake_free(&f);
	return cost;
}

static void test_teas_cost(void **state)
{
	(void)state;
	assert_int_equal(tea_cost(&design_dmt, ENV_NATIVE), 512 * 1880);
	assert_int_equal(tea_cost(&design_dmt, ENV_VIRT), 512 * 1880);
	assert_int_equal(tea_cost(&design_pvdmt, ENV_VIRT), 512 * 1880 + 3760);
	assert_int_equal(tea_cost(&design_pvdmt, ENV_NESTED),
			 512 * 1880 + 21500);
}

static void test_growth_is_covered(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, ENV_VIRT, PAGES_4K, SIZE_4K);
	start(&f, &design_pvdmt);
	fake_event(&f, NBT_BRK, ARGS(AT, AT + 4 * MIB, 0, 0));
	fake_map(&f, AT + 64 * GIB, 4 * MIB); /* in the way */
	fake_walk(&f, &design_pvdmt, AT);
	fake_event(&f, NBT_BRK, ARGS(AT + 4 * MIB, AT + 64 * MIB, 0, 0));
	fake_walk(&f, &design_pvdmt, AT + 63 * MIB);
	assert_int_equal(f.refs, 2);
	assert_int_equal(f.stats.fallbacks, 0);
	assert_int_equal(f.stats.charge_times[CHARGE_TEA], 3);
	fake_free(&f);
}

static void test_gtea_bounds(void **state)
{
	struct fake f;
	size_t n;
	const struct tea *t;
	struct tea forged;

	(void)state;
	fake_init(&f, ENV_VIRT, PAGES_4K, SIZE_4K);
	start(&f, &design_pvdmt);
	fake_map(&f, AT, 4 * MIB);
	t = space_teas(f.mmu.space, 0, 1, &n);
	assert_int_equal(space_gtea(f.mmu.space, 0, 1, t, 0x1ff8),
			 t->base + 0x1ff8);
	assert_int_equal(space_gtea(f.mmu.space, 0, 1, t, 0x2000), 0);
	forged = *t;
	forged.gtea += 2;
	assert_int_equal(space_gtea(f.mmu.space, 0, 1, &forged, 0), 0);
	fake_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_allocated_frames),
		cmocka_unit_test(test_what_papers_do_not_define_is_refused),
		cmocka_unit_test(test_dmt_native),
		cmocka_unit_test(test_dmt_virt),
		cmocka_unit_test(test_pvdmt_nested),
		cmocka_unit_test(test_tea_areas_are_apart),
		cmocka_unit_test(test_pages_of_two_sizes_are_asked_at_once),
		cmocka_unit_test(test_split_pages_fall_back),
		cmocka_unit_test(test_the_smallest_falls_back),
		cmocka_unit_test(test_no_registers_is_radix),
		cmocka_unit_test(test_no_gtea_is_dmt_or_radix),
		cmocka_unit_test(test_steps_begin_with_those_of_radix),
		cmocka_unit_test(test_pwcs_tell_tables_apart),
		cmocka_unit_test(test_shadow_needs_its_pwcs),
		cmocka_unit_test(test_shadow_exits),
		cmocka_unit_test(test_shadow_needs_its_exits),
		cmocka_unit_test(test_nested_shadow_exits_twice),
		cmocka_unit_test(test_nested_radix_exits),
		cmocka_unit_test(test_others_keep_no_shadow),
		cmocka_unit_test(test_teas_cost),
		cmocka_unit_test(test_growth_is_covered),
		cmocka_unit_test(test_gtea_bounds),
	};

	seed = DICE_START;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
