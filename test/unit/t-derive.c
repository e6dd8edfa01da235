/* SPDX-License-Identifier: Apache-2.0 */
/* walk/derive: the arithmetic, on numbers that a hand can check. */
#include "test/unit/unit.h"
#include "walk/derive.h"

static const struct profile machine = {
	.l1d.cycles = 4,
	.cpi = 0.5,
	.walkers = 2,
	.exit_cycles = 1000,
	.npt_exit_cycles = 3000,
};

static struct walk_stats s;

static void fill(void)
{
	memset(&s, 0, sizeof(s));
	s.instructions = 10000;
	s.accesses = 2000;
	s.data_cycles = 2000 * 4 + 1000; /* 1000 above L1 hits */
	s.stlb_misses = 40;
	s.refs = 100;
	s.walk_cycles = 8000;
	s.latency[100] = 30;
	s.latency[500] = 10;
}

static void near_to(double a, double b)
{
	if (a < b - 1e-9 || a > b + 1e-9)
		fail_msg("%g is not %g", a, b);
}

static void ratios(void **state)
{
	(void)state;
	fill();
	near_to(mpki(s.stlb_misses, &s), 4);
	near_to(refs_per_walk(&s), 2.5);
	near_to(mean_latency(&s), 200);
	assert_int_equal(latency_percentile(&s, 0), 100);
	assert_int_equal(latency_percentile(&s, 0.75), 100);
	assert_int_equal(latency_percentile(&s, 0.76), 500);
	assert_int_equal(latency_percentile(&s, 1), 500);
}

static void model(void **state)
{
	(void)state;
	fill();
	/* 5000 + 1000 + 8000 / 2 */
	near_to(model_cycles(&s, &machine), 10000);
	near_to(walk_share(&s, &machine), 0.4);
	s.charge_times[CHARGE_CR3] = 3;
	s.charge_times[CHARGE_NPT_FAULT] = 1;
	s.charge_times[CHARGE_PAGE_FAULT] = 9; /* no exit */
	s.charge_times[CHARGE_TEA] = 9;	       /* neither */
	s.charge_times[CHARGE_HYPERCALL] = 9;  /* its instructions tell */
	s.charge_instructions[CHARGE_PAGE_FAULT] = 8000;
	near_to(model_exit_cycles(&s, &machine), 3000 + 3000 + 4000);
	near_to(model_cycles(&s, &machine), 20000);
	near_to(walk_share(&s, &machine), 0.4);
}

static void speedups(void **state)
{
	struct walk_stats base;

	(void)state;
	fill();
	base = s;
	base.walk_cycles *= 2;
	near_to(walk_speedup(&base, &s), 2);
	near_to(app_speedup(0.4, 0.5), 1.25);
	near_to(app_speedup(0.4, 1), 1);
	near_to(app_speedup(0, 0), 1);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	near_to(mpki(1, &s), 0);
	near_to(refs_per_walk(&s), 0);
	near_to(mean_latency(&s), 0);
	near_to(walk_share(&s, &machine), 0);
	near_to(walk_speedup(&s, &s), 0);
	assert_int_equal(latency_percentile(&s, 0.5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ratios),
		cmocka_unit_test(model),
		cmocka_unit_test(speedups),
		cmocka_unit_test(nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
