/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk/space: where pages and tables are. The arithmetic is compared with radix
 * tables that are built entry by entry, as a kernel would: each table that a
 * walk needs is one page, no page is two tables or a table and a frame.
 */
#include "test/unit/dice.h"
#include "test/unit/unit.h"
#include "walk/space_inline.h"

#define SLOTS (1u << 18)
#define PAGES 3000u

/* A hash table from what a page is to where it is, and one back. */
struct page {
	u64 what, at;
};
static struct page places[SLOTS], owners[SLOTS];

static u64 seed;

static u64 draw(u64 n)
{
	return dice_below(&seed, n);
}

static struct page *slot(struct page *table, u64 key)
{
	u64 i = key * 0x9e3779b97f4a7c15ull >> 46;

	while (table[i].what && table[i].what != key)
		i = (i + 1) % SLOTS;
	table[i].what = key;
	return &table[i];
}

/* @what is at @at now, and has to stay there, alone. */
static void assert_place(u64 what, u64 at)
{
	struct page *place = slot(places, what);
	struct page *owner = slot(owners, at | 1);

	assert_int_equal(at & 0xfff, 0);
	assert_true(!place->at || place->at == at + 1);
	assert_true(!owner->at || owner->at == what);
	place->at = at + 1;
	owner->at = what;
}

static void forget(void)
{
	memset(places, 0, sizeof(places));
	memset(owners, 0, sizeof(owners));
}

/* Names for a table and a frame that no other has. */
static u64 table_name(unsigned level, u64 process, u64 prefix)
{
	return (u64)level << 60 | process << 44 | prefix << 1 | 1;
}

static u64 frame_name(u64 page)
{
	return 7ull << 60 | page << 1 | 1;
}

/* Walks @in, which stands for the address @va of @process. */
static void walk(const struct dim *d, u64 in, u64 process, u64 va)
{
	for (unsigned level = d->levels; level >= 1; level--) {
		unsigned shift = PAGE_SHIFT + 9 * level;
		u64 prefix = shift > 63 ? 0 : va >> shift;
		u64 entry = dim_entry(d, in, level);

		assert_int_equal(entry & 7, 0);
		assert_int_equal((entry & 0xfff) >> 3, va >> (shift - 9) & 511);
		assert_place(table_name(level, process, prefix),
			     entry & ~0xfffull);
	}
	assert_place(frame_name(in >> PAGE_SHIFT),
		     dim_map(d, in).out & ~0xfffull);
	assert_int_equal(dim_map(d, in).out & 0xfff, in & 0xfff);
}

struct row {
	struct keys keys;
	struct profile profile;
	struct walk_spec spec;
	struct space *space;
};

static enum frames placing; /* of the test that runs */

static void start(struct row *r, enum env env, enum pages pages)
{
	struct err err;

	memset(r, 0, sizeof(*r));
	keys_init(&r->keys);
	r->profile.levels = 4;
	r->spec = (struct walk_spec){.env = env,
				     .pages = pages,
				     .frames = placing,
				     .profile = &r->profile,
				     .keys = &r->keys,
				     .seed = 42};
	r->space = space_new(&r->spec, &err);
	assert_non_null(r->space);
}

static void start_host(struct row *r, enum env env, enum pages pages,
		       enum page_size host)
{
	struct err err;

	start(r, env, pages);
	space_free(r->space);
	r->space = space_new_host(&r->spec, host, &err);
	assert_non_null(r->space);
}

/* Addresses as programs have them: dense in few places, of two processes. */
static u64 some_address(u64 *process)
{
	static const u64 base[] = {0x400000,	   0x555555554000,
				   0x7ffff7000000, 0x7f0000000000,
				   0x7e8000000000, 0x100000000000};
	u64 at = base[draw(ARRAY_SIZE(base))];

	*process = draw(2);
	return at + draw(1ull << (12 + draw(25)));
}

static void test_native_is_a_radix_table(void **state)
{
	struct row r;

	(void)state;
	forget();
	start(&r, ENV_NATIVE, PAGES_4K);
	for (unsigned i = 0; i < PAGES; i++) {
		u64 process, va = some_address(&process);
		va_t key;

		assert_int_equal(keys_of(&r.keys, process, va, &key), 0);
		assert_int_equal(space_touch(r.space, key, NULL), 0);
		walk(&r.space->d[0], key.v, process, va);
		assert_true(dim_map(&r.space->d[0], key.v).out < 1ull << 42);
	}
	space_free(r.space);
}

/* All that dimension @i has to translate: frames and tables of the one above,
 * and its own. */
static void check_lower(struct row *r, unsigned i)
{
	const struct dim *above = &r->space->d[i - 1];
	const struct dim *d = &r->space->d[i];

	forget();
	for (unsigned n = 0; n < PAGES; n++) {
		u64 process, in = some_address(&process);
		va_t key;

		assert_int_equal(keys_of(&r->keys, process, in, &key), 0);
		assert_int_equal(space_touch(r->space, key, NULL), 0);
		in = key.v;
		for (unsigned j = 0; j + 1 < i; j++)
			in = dim_map(&r->space->d[j], in).out;
		for (unsigned level = above->levels; level >= 1; level--) {
			u64 entry = dim_entry(above, in, level);

			assert_true(dim_mapped(d, entry));
			walk(d, entry, 0, entry);
		}
		in = dim_map(above, in).out;
		assert_true(dim_mapped(d, in));
		walk(d, in, 0, in);
		assert_true(dim_map(d, in).out < 1ull << PA_BITS);
	}
}

static void test_lower_dimensions_have_all(void **state)
{
	struct row r;

	(void)state;
	start(&r, ENV_NESTED, PAGES_4K);
	check_lower(&r, 1);
	check_lower(&r, 2);
	space_free(r.space);
}

static void test_translation_is_composed(void **state)
{
	struct row r;

	(void)state;
	start(&r, ENV_NESTED, PAGES_4K);
	for (unsigned i = 0; i < PAGES; i++) {
		u64 key = draw(1ull << KEY_BITS), out = key;
		struct mapping m = space_translate(r.space, (va_t){key});

		for (unsigned j = 0; j < 3; j++)
			out = dim_map(&r.space->d[j], out).out;
		assert_int_equal(m.out, out);
		assert_int_equal(dim_map(space_shadow(r.space), key).out, out);
		assert_int_equal(dim_map(space_nested_shadow(r.space),
					 dim_map(&r.space->d[0], key).out)
					 .out,
				 out);
	}
	space_free(r.space);
}

/* The shadows' tables and frames and those of the host itself are apart. */
static void test_shadow_is_a_radix_table(void **state)
{
	struct row r;

	(void)state;
	start(&r, ENV_NESTED, PAGES_4K);
	forget();
	for (unsigned i = 0; i < PAGES; i++) {
		u64 process, va = some_address(&process);
		u64 l2pa;
		va_t key;

		assert_int_equal(keys_of(&r.keys, process, va, &key), 0);
		assert_int_equal(space_touch(r.space, key, NULL), 0);
		l2pa = dim_map(&r.space->d[0], key.v).out;
		walk(space_shadow(r.space), key.v, process, va);
		for (unsigned level = 4; level >= 1; level--) {
			u64 prefix = l2pa >> (PAGE_SHIFT + 9 * level);
			u64 at = dim_entry(space_nested_shadow(r.space), l2pa,
					   level);

			assert_place(table_name(level, 7, prefix),
				     at & ~0xfffull);
			at = dim_entry(&r.space->d[2], l2pa, level);
			assert_place(table_name(level, 8, prefix),
				     at & ~0xfffull);
		}
	}
	space_free(r.space);
}

/* Its pages are global: doc/traces.md, traces of systems. */
static void test_processes_share_the_kernels_half(void **state)
{
	const u64 kernel = 0xffff888012345678, user = 0x7f0012345678;
	struct row r;
	va_t a, b;

	(void)state;
	keys_init(&r.keys);
	assert_int_equal(keys_of(&r.keys, 3, user, &a), 0);
	assert_int_equal(keys_of(&r.keys, 5, user, &b), 0);
	assert_true(a.v != b.v);
	assert_int_equal(keys_of(&r.keys, 3, kernel, &a), 0);
	assert_int_equal(keys_of_all(&r.keys, 5, &kernel, &b.v, 1), 0);
	assert_true(a.v == b.v);
	assert_int_equal(key_process(&r.keys, a), 0);
	assert_true(key_address(&r.keys, a) == kernel);
}

static void test_chunks_are_contiguous(void **state)
{
	struct row r;

	(void)state;
	start(&r, ENV_VIRT, PAGES_2M);
	for (unsigned i = 0; i < PAGES; i++) {
		u64 key = draw(1ull << KEY_BITS);
		u64 chunk = key >> 21 << 21;
		struct mapping m = space_translate(r.space, (va_t){chunk});

		assert_int_equal(m.size, SIZE_2M);
		assert_int_equal(m.out & 0x1fffff, 0);
		assert_int_equal(space_translate(r.space, (va_t){key}).out,
				 m.out + key - chunk);
	}
	space_free(r.space);
}

/* 1 GiB of every input is 1 GiB of output: exhaustive, so exactly a bijection
 * of the chunks. */
static void test_chunks_are_permuted(void **state)
{
	struct row r;

	(void)state;
	start(&r, ENV_NATIVE, PAGES_4K);
	for (u64 unit = 0; unit < 1u << (KEY_BITS - 30); unit++) {
		u64 seen[8] = {0};
		u64 home = dim_out(&r.space->d[0], unit << 30) >> 30;

		assert_int_equal(home >> 4, unit >> 4);
		for (u64 i = 0; i < 512; i++) {
			u64 out = dim_out(&r.space->d[0], unit << 30 | i << 21);

			assert_int_equal(out >> 30, home);
			out = out >> 21 & 511;
			assert_false(seen[out / 64] >> out % 64 & 1);
			seen[out / 64] |= 1ull << out % 64;
		}
	}
	space_free(r.space);
}

/* Faults ******************************************************************/

struct told {
	u64 mapped[DIMS], tables[DIMS];
};

static void count(void *ctx, const struct space_change *c)
{
	struct told *t = ctx;

	t->mapped[c->dim] += c->what == SPACE_MAPPED;
	t->tables[c->dim] += c->what == SPACE_TABLE;
}

/* One page in an empty nested machine: by hand. L2's 4 tables and a page; each
 * of these 5 pages needs L1 to map it, for which the 4 tables above the first
 * L2 table do for all tables but the leaf's ... and so on. */
static void test_first_touch_maps_all_dimensions(void **state)
{
	struct told told = {0};
	struct space_tell tell = {count, &told};
	struct row r;
	va_t key;

	(void)state;
	start(&r, ENV_VIRT, PAGES_4K);
	assert_int_equal(keys_of(&r.keys, 1, 0x7f0000000000, &key), 0);
	assert_int_equal(space_touch(r.space, key, &tell), 0);
	assert_int_equal(told.mapped[0], 1);
	assert_int_equal(told.tables[0], 4);
	assert_int_equal(told.mapped[1], 5);
	assert_true(told.tables[1] >= 4);
	assert_int_equal(space_touch(r.space, key, &tell), 0);
	assert_int_equal(told.mapped[0], 1);
	space_free(r.space);
}

static void test_large_page_touches_its_frames(void **state)
{
	struct told told = {0};
	struct space_tell tell = {count, &told};
	struct row r;
	va_t key;

	(void)state;
	start_host(&r, ENV_VIRT, PAGES_2M, SIZE_4K);
	assert_int_equal(keys_of(&r.keys, 1, 0x7f0000000000, &key), 0);
	assert_int_equal(space_touch(r.space, key, &tell), 0);
	assert_int_equal(told.mapped[0], 1);
	assert_int_equal(told.tables[0], 3);
	assert_int_equal(told.mapped[1], 512 + 3);
	assert_int_equal(space_translate(r.space, key).size, SIZE_4K);
	space_free(r.space);
}

static void test_memory_is_counted(void **state)
{
	struct walk_memory memory = {0};
	struct row r;
	va_t key;

	(void)state;
	start(&r, ENV_VIRT, PAGES_4K);
	for (u64 i = 0; i < 1024; i++) {
		u64 at = 0x7f0000000000 + (i << 12);

		assert_int_equal(keys_of(&r.keys, 1, at, &key), 0);
		assert_int_equal(space_touch(r.space, key, NULL), 0);
	}
	space_memory(r.space, &memory);
	assert_int_equal(memory.frames[0], 1024 << 12);
	assert_int_equal(memory.tables[0], 5 << 12);
	assert_int_equal(memory.frames[1], (1024 + 5) << 12);
	space_free(r.space);
}

static int allocate(void **state)
{
	(void)state;
	placing = FRAMES_BUDDY;
	return 0;
}

static int compute(void **state)
{
	(void)state;
	placing = FRAMES_COMPUTED;
	return 0;
}

#define BOTH(test)                                                \
	{#test, test, compute, NULL, NULL},                       \
	{                                                         \
#		test "_allocated", test, allocate, compute, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_native_is_a_radix_table),
		BOTH(test_lower_dimensions_have_all),
		cmocka_unit_test(test_translation_is_composed),
		BOTH(test_shadow_is_a_radix_table),
		cmocka_unit_test(test_processes_share_the_kernels_half),
		cmocka_unit_test(test_chunks_are_contiguous),
		cmocka_unit_test(test_chunks_are_permuted),
		BOTH(test_first_touch_maps_all_dimensions),
		BOTH(test_large_page_touches_its_frames),
		BOTH(test_memory_is_counted),
	};

	seed = DICE_START;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
