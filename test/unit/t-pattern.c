/* SPDX-License-Identifier: Apache-2.0 */
/* workload/: patterns read what they say that they read. */
#include "test/unit/unit.h"
#include "workload/btree.h"
#include "workload/canneal.h"
#include "workload/chase.h"
#include "workload/graph500.h"
#include "workload/gups.h"
#include "workload/memcached.h"
#include "workload/redis.h"
#include "workload/size.h"
#include "workload/stream.h"
#include "workload/xsbench.h"

#define BYTES (3u << 20)

u64 memory_map(struct memory *m, u64 bytes)
{
	void *at = calloc(1, bytes);

	assert_true(at && m->maps < ARRAY_SIZE(m->mapped));
	m->mapped[m->maps] = (u64)(uintptr_t)at;
	m->bytes[m->maps++] = bytes;
	return (u64)(uintptr_t)at;
}

void *memory_remember(struct memory *m, u64 bytes)
{
	assert_true(m->memories < ARRAY_SIZE(m->remembered));
	return m->remembered[m->memories++] = calloc(1, bytes);
}

bool memory_has(const struct memory *m, u64 at, u64 bytes)
{
	for (unsigned i = 0; i < m->maps; i++)
		if (at - m->mapped[i] <= m->bytes[i] - bytes)
			return true;
	return false;
}

static void forget(struct memory *m)
{
	for (unsigned i = 0; i < m->maps; i++)
		free((void *)(uintptr_t)m->mapped[i]);
	for (unsigned i = 0; i < m->memories; i++)
		free(m->remembered[i]);
	*m = (struct memory){0};
}

static u64 mapped(const struct memory *m)
{
	u64 sum = 0;

	for (unsigned i = 0; i < m->maps; i++)
		sum += m->bytes[i];
	return sum;
}

static const struct pattern *const patterns[] = {
	&btree_pattern,	   &canneal_pattern, &chase_pattern,
	&graph500_pattern, &gups_pattern,    &memcached_pattern,
	&redis_pattern,	   &stream_pattern,  &xsbench_pattern,
};

/* Two threads, after each other. Returns the sum of both. */
static u64 run(const struct pattern *p, struct memory *m, u64 operations)
{
	struct plan plan = {.bytes = BYTES, .seed = 7, .threads = 2};
	struct worker worker;
	void *own = calloc(1, p->size);
	u64 sum = 0;

	memcpy(own, &plan, sizeof(plan));
	assert_int_equal(p->lay_out(own, m), 0);
	if (p->fill)
		p->fill(own, m);
	m->loads = m->stores = 0;
	for (unsigned i = 0; i < plan.threads; i++) {
		worker_init(&worker, &plan, i, m);
		p->run(own, &worker, operations / 2);
		p->run(own, &worker, operations - operations / 2);
		sum += worker.sum;
	}
	free(own);
	return sum;
}

static void memory_is_as_they_say(void **state)
{
	struct memory m = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const struct pattern *p = patterns[i];
		u64 sum = run(p, &m, 500);

		print_message("%s\n", p->name);
		assert_int_equal(m.wrong, 0);
		assert_true(m.loads >= 1000 && m.work > 0);
		assert_true(!p->fill || sum);
		assert_in_range(mapped(&m), BYTES / 2, BYTES * 8 / 7);
		forget(&m);
	}
}

/* Searches end, and begin anew, over all of a graph. */
static void searches_reach_what_they_can(void **state)
{
	struct memory m = {0};

	(void)state;
	run(&graph500_pattern, &m, 40000);
	assert_int_equal(m.wrong, 0);
	assert_true(m.stores > (u64)2 * 8192);
	forget(&m);
}

static void too_few_bytes(void **state)
{
	struct memory m = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct plan plan = {.bytes = 7, .threads = 1};
		void *own = calloc(1, patterns[i]->size);

		memcpy(own, &plan, sizeof(plan));
		assert_true(patterns[i]->lay_out(own, &m) < 0);
		free(own);
		forget(&m);
	}
}

static void sizes(void **state)
{
	static const char *const bad[] = {
		"", "x", "-1", "1x", "1gg", "1 g", "65536t", "inf", "0x10p70"};
	u64 n;

	(void)state;
	assert_true(size_parse("4096", &n) && n == 4096);
	assert_true(size_parse("64m", &n) && n == 64 << 20);
	assert_true(size_parse("1.5G", &n) && n == 3ull << 29);
	assert_true(size_parse("155g", &n) && n == 155ull << 30);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(size_parse(bad[i], &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_as_they_say),
		cmocka_unit_test(searches_reach_what_they_can),
		cmocka_unit_test(too_few_bytes),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
