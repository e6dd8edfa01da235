/* SPDX-License-Identifier: Apache-2.0 */
/* capture/synth: what is in traces that nobody ran. */
#include <unistd.h>

#include "capture/synth.h"
#include "lib/nbt/nbt.h"
#include "test/unit/unit.h"

#define OUT "out.nbt"

static struct nbt_block *b;

static struct nbt_reader *make(const char *spec,
			       const struct capture_limits *limits)
{
	struct err err;
	struct nbt_reader *r;

	if (synth_trace(spec, OUT, limits, &err) < 0)
		fail_msg("%s", err.text);
	r = nbt_open(OUT, &err);
	assert_non_null(r);
	assert_true(nbt_info(r)->complete && nbt_info(r)->has_events);
	assert_int_equal(unlink(OUT), 0);
	return r;
}

/* The VMAs of the trace's start. */
struct vmas {
	u64 start[600], end[600];
	size_t n;
};

static void find_vmas(struct vmas *v)
{
	v->n = 0;
	for (size_t i = 0; i < b->events; i++) {
		const struct nbt_event *e = &b->event[i];

		if (e->type != NBT_MAP)
			continue;
		assert_int_equal(e->at, 0);
		assert_true(v->n < ARRAY_SIZE(v->start));
		v->start[v->n] = e->arg[0];
		v->end[v->n++] = e->arg[0] + e->arg[1];
	}
}

static bool in_vma(const struct vmas *v, u64 addr)
{
	for (size_t i = 0; i < v->n; i++)
		if (addr >= v->start[i] && addr < v->end[i])
			return true;
	return false;
}

/* Each pattern at its paper's footprint, where a byte of memory for each page
 * would be missed. */
static const char *const papers[] = {
	"redis:155g",	 "memcached:95g", "gups:128g",
	"btree:125g",	 "canneal:62g",	  "xsbench:84g",
	"graph500:123g", "stream:16g",	  "chase:128g",
};

static void papers_footprints(void **state)
{
	static const struct capture_limits some = {.limit = 50000};
	struct vmas v;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(papers); i++) {
		struct nbt_reader *r = make(papers[i], &some);
		u64 low = ~0ull, high = 0;

		assert_int_equal(nbt_info(r)->accesses, 50000);
		assert_true(nbt_info(r)->instructions > 50000);
		assert_int_equal(nbt_read(r, 0, b, &err), 0);
		find_vmas(&v);
		for (u32 k = 0; k < b->n; k++) {
			assert_true(in_vma(&v, b->addr[k]));
			low = b->addr[k] < low ? b->addr[k] : low;
			high = b->addr[k] > high ? b->addr[k] : high;
		}
		assert_true(high - low > 8ull << 30);
		nbt_close(r);
	}
}

static void operations_are_those_asked_for(void **state)
{
	static const struct capture_limits all;
	struct nbt_reader *r = make("gups:1m,operations=1000", &all);

	(void)state;
	assert_int_equal(nbt_info(r)->accesses, 2000);
	assert_int_equal(nbt_info(r)->instructions, 1000 * 19);
	nbt_close(r);
}

static void threads_take_turns(void **state)
{
	static const struct capture_limits some = {.skip = 100, .limit = 60000};
	struct nbt_reader *r = make("btree:16m,threads=3", &some);
	unsigned seen[3] = {0}, started = 0;
	struct err err;

	(void)state;
	assert_int_equal(nbt_read(r, 0, b, &err), 0);
	for (size_t i = 0; i < b->runs; i++) {
		assert_true(b->run[i].thread < 3);
		seen[b->run[i].thread]++;
	}
	for (size_t i = 0; i < b->events; i++)
		started += b->event[i].type == NBT_THREAD;
	assert_int_equal(started, 2);
	assert_true(seen[0] && seen[1] && seen[2]);
	nbt_close(r);
}

static u64 sum_of(const char *spec)
{
	static const struct capture_limits some = {.limit = 10000};
	struct nbt_reader *r = make(spec, &some);
	struct err err;
	u64 sum = 0;

	assert_int_equal(nbt_read(r, 0, b, &err), 0);
	for (u32 i = 0; i < b->n; i++)
		sum = sum * 31 + b->addr[i];
	nbt_close(r);
	return sum;
}

static void seeds_repeat(void **state)
{
	(void)state;
	assert_true(sum_of("gups:1g") == sum_of("gups:1g,seed=1"));
	assert_true(sum_of("gups:1g") != sum_of("gups:1g,seed=2"));
}

static const struct {
	const char *spec, *error;
} bad[] = {
	{"gups", "--synth gups: not NAME:SIZE"},
	{"gup:1g", "--synth gup:1g: no such pattern: btree, canneal, chase, "
		   "graph500, gups, memcached, redis, stream or xsbench"},
	{"gups:", "--synth gups:: not a size up to 64t"},
	{"gups:1x", "--synth gups:1x: not a size up to 64t"},
	{"gups:65t", "--synth gups:65t: not a size up to 64t"},
	{"gups:4", "--synth gups:4: not possible with that size"},
	{"graph500:1k", "--synth graph500:1k: not possible with that size"},
	{"gups:1g,threads=0",
	 "--synth gups:1g,threads=0: 'threads=0' is not threads=N (up to 64), "
	 "operations=N or seed=N"},
	{"gups:1g,threads=65",
	 "--synth gups:1g,threads=65: 'threads=65' is not threads=N (up to "
	 "64), operations=N or seed=N"},
	{"gups:1g,x", "--synth gups:1g,x: 'x' is not threads=N (up to 64), "
		      "operations=N or seed=N"},
};

static void bad_specs_are_refused(void **state)
{
	static const struct capture_limits some = {.limit = 100};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(synth_trace(bad[i].spec, OUT, &some, &err) < 0);
		assert_string_equal(err.text, bad[i].error);
		assert_int_equal(access(OUT, F_OK), -1);
	}
}

static int enter(void **state)
{
	static char folder[] = "/dev/shm/t-synth-XXXXXX";

	b = nbt_block_new();
	*state = mkdtemp(folder);
	return b && *state ? chdir(folder) : -1;
}

static int leave(void **state)
{
	nbt_block_free(b);
	return chdir("/") || rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(papers_footprints),
		cmocka_unit_test(operations_are_those_asked_for),
		cmocka_unit_test(threads_take_turns),
		cmocka_unit_test(seeds_repeat),
		cmocka_unit_test(bad_specs_are_refused),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
