/* SPDX-License-Identifier: Apache-2.0 */
/* lab/walk_*: lists, perf's output, rows as lines, what follows from them. */
#include "lab/args.h"
#include "lab/walk_keep.h"
#include "lab/walk_perf.h"
#include "lab/walk_show.h"
#include "test/unit/unit.h"
#include "walk/derive.h"

static const char *const names[] = {"radix", "dmt", "pvdmt", NULL};

static void lists_are_parsed(void **state)
{
	struct err err;
	u64 bits;

	(void)state;
	assert_int_equal(walk_parse_list(&bits, "dmt", names, "x", &err), 0);
	assert_int_equal(bits, 2);
	assert_int_equal(
		walk_parse_list(&bits, "pvdmt,radix,pvdmt", names, "x", &err),
		0);
	assert_int_equal(bits, 5);
	assert_int_equal(walk_parse_list(&bits, "dmt,all", names, "x", &err),
			 0);
	assert_int_equal(bits, 7);
}

static void wrong_lists_are_refused(void **state)
{
	static const char *const wrong[] = {"",	    ",",     "dmt,", ",dmt",
					    "pvdm", "dmtx",  "DMT",  "dmt,,dmt",
					    "al",   "radix "};
	struct err err;
	u64 bits;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(
			walk_parse_list(&bits, wrong[i], names, "x", &err), -1);
	assert_int_equal(walk_parse_list(&bits, "fly", names, "bird", &err),
			 -1);
	assert_string_equal(err.text, "unknown bird 'fly': there are radix, "
				      "dmt, pvdmt, or all");
}

static void counts_are_parsed(void **state)
{
	static const char *const wrong[] = {"",
					    "k",
					    "-1",
					    " 1",
					    "1kk",
					    "1.5k",
					    "1e6",
					    "0x10",
					    "1t",
					    "99999999999999999999",
					    "9000000000000000k"};
	u64 n;

	(void)state;
	assert_true(count_parse("0", &n) && n == 0);
	assert_true(count_parse("1000", &n) && n == 1000);
	assert_true(count_parse("50k", &n) && n == 50000);
	assert_true(count_parse("3M", &n) && n == 3000000);
	assert_true(count_parse("2g", &n) && n == 2000000000);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(count_parse(wrong[i], &n));
}

/* perf *********************************************************************/

static const struct profile machine = {.walkers = 2};

static double share_of(const char *text, const struct walk_stats *radix)
{
	struct walk_perf p;
	struct err err;

	if (walk_perf_parse(&p, "f", text, &err))
		return -1;
	return walk_perf_share(&p, &machine, radix);
}

static void perf_of_intel_is_read(void **state)
{
	static const char text[] =
		"# started on Fri Nov 20 2026\n\n"
		" Performance counter stats for './gups':\n\n"
		"   1,000,000  dtlb_load_misses.walk_pending:u   (50.0%)\n"
		"       500,000      dtlb_store_misses.walk_pending:u\n"
		"   <not counted>    itlb_misses.walk_active\n"
		"       100,000      itlb_misses.walk_pending\n"
		"     4,000,000      cycles:u        #    3.1 GHz\n\n"
		"       0.123456789 seconds time elapsed\n";

	(void)state;
	assert_true(share_of(text, NULL) == 1600000.0 / 2 / 4000000);
}

static void perf_with_separators_is_read(void **state)
{
	(void)state;
	assert_true(share_of("300,,dtlb_load_misses.walk_pending:u,1,100.00,,\n"
			     "<not supported>,,itlb_misses.walk_pending,0,,,\n"
			     "1000,,cycles:u,1,100.00,,\n",
			     NULL) == 0.15);
	assert_true(share_of("300;;cpu_core/dtlb_load_misses.walk_active/u;1\n"
			     "1000;;cpu_core/cycles/u;1;100,00;;\n",
			     NULL) == 0.3);
}

static void perf_of_other_locales_is_read(void **state)
{
	(void)state;
	assert_true(share_of("  1.000  dtlb_load_misses.walk_duration\n"
			     "  4\u202f000  cycles\n",
			     NULL) == 0.25);
	assert_true(share_of("  1'000  dtlb_load_misses.walk_duration\n"
			     "  4 000  cpu-cycles\n",
			     NULL) == 0.25);
}

/* Walks that only were counted take what the model's do. */
static void perf_of_amd_is_read(void **state)
{
	struct walk_stats radix = {.stlb_misses = 10, .walk_cycles = 500};

	(void)state;
	assert_true(share_of("  100  ls_l1_d_tlb_miss.all_l2_miss\n"
			     "  20  bp_l1_tlb_miss_l2_tlb_miss\n"
			     "  12000  cycles\n",
			     &radix) == 120 * 50 / 2.0 / 12000);
	assert_true(share_of("  1000000  ls_l1_d_tlb_miss.all_l2_miss\n"
			     "  12000  cycles\n",
			     &radix) == 1);
}

static void wrong_perf_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"\n\n",
		"cycles",
		"1000 cycles",
		"  1000  dtlb_load_misses.walk_pending",
		"  1000  cycles\n  5  instructions\n",
		"  1000  bicycles\n  5  itlb_misses.walk_pending\n",
		"  <not supported>  cycles\n  5  itlb_misses.walk_pending\n",
		"1,2,cycles",
		"5,",
		"5,,",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_true(share_of(wrong[i], NULL) == -1);
}

/* Rows *********************************************************************/

static const struct walk_trace trace = {"t.nbt", NULL, 0x1234};
static const struct profile small = {.name = "small", .levels = 4};
static const struct profile large = {.name = "small", .levels = 5};

static struct walk_row some_row(void)
{
	return (struct walk_row){
		.trace = &trace,
		.spec = {.design = walk_find_design("dmt"), .profile = &small},
	};
}

static void rows_come_back(void **state)
{
	struct walk_row row = some_row();
	char key[WALK_KEY_MAX], *line;
	struct walk_stats back;

	(void)state;
	row.stats = (struct walk_stats){
		.accesses = 1ull << 62,
		.seconds = 0.25,
		.lost_blocks = 3,
		.memory = {.extra = 4},
	};
	row.stats.latency[0] = 1;
	row.stats.latency[LATENCIES - 1] = 2;
	walk_key(key, &row, 7);
	line = walk_line(&row, key);
	assert_null(strchr(line, '\n'));
	assert_int_equal(walk_take_line(line, strlen(line), key, &back), 1);
	assert_memory_equal(&back, &row.stats, sizeof(back));
	key[8]++;
	assert_int_equal(walk_take_line(line, strlen(line), key, &back), 0);
	free(line);
}

static void torn_lines_are_none(void **state)
{
	struct walk_row row = some_row();
	char key[WALK_KEY_MAX], *line;
	struct walk_stats back;

	(void)state;
	row.stats.accesses = 12;
	walk_key(key, &row, 7);
	line = walk_line(&row, key);
	for (size_t n = 0; n < strlen(line); n++)
		assert_int_equal(walk_take_line(line, n, key, &back), 0);
	free(line);
}

static void wrong_counters_are_none(void **state)
{
	static const char *const wrong[] = {
		"{\"key\":\"k\",\"counters\":[1,\"x\"]}",
		"{\"key\":\"k\",\"counters\":[1.5,1]}",
		"{\"key\":\"k\",\"counters\":[-1,1]}",
		"{\"key\":\"k\",\"counters\":[99999999,1]}",
		"{\"key\":\"k\",\"counters\":{}}",
		"{\"key\":\"k\"}",
		"[]",
		"null",
	};
	struct walk_stats back;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(
			walk_take_line(wrong[i], strlen(wrong[i]), "k", &back),
			0);
}

/* Whatever a row depends on is in its key. */
static void keys_tell_rows_apart(void **state)
{
	const struct walk_trace other = {"t.nbt", NULL, 0x1235};
	char key[10][WALK_KEY_MAX];
	struct walk_row row[9];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		row[i] = some_row();
	row[1].trace = &other;
	row[2].spec.design = walk_find_design("pvdmt");
	row[3].spec.env = ENV_VIRT;
	row[4].spec.pages = PAGES_2M;
	row[5].spec.frames = FRAMES_BUDDY;
	row[6].spec.profile = &large;
	row[7].spec.skip = 1;
	row[8].spec.threads_per_core = 1;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		walk_key(key[i], &row[i], 7);
	walk_key(key[9], &row[0], 8);
	for (size_t i = 0; i < ARRAY_SIZE(key); i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(key[i], key[k]);
}

/* Figures ******************************************************************/

static void figures_follow_from_counters(void **state)
{
	struct walk_plan p = {.profile = {.walkers = 1, .cpi = 1}};
	struct walk_row radix = some_row(), row = some_row();
	struct walk_figures f;

	(void)state;
	radix.done = row.done = true;
	row.spec.env = ENV_VIRT;
	row.radix = &radix;
	radix.stats = (struct walk_stats){
		.instructions = 600, .stlb_misses = 4, .walk_cycles = 400};
	row.stats = (struct walk_stats){
		.accesses = 90,
		.instructions = 600,
		.stlb_misses = 4,
		.walk_cycles = 200,
		.charge_times = {[CHARGE_PAGE_FAULT] = 9,
				 [CHARGE_CR3] = 2,
				 [CHARGE_TEA] = 9,
				 [CHARGE_HYPERCALL] = 3,
				 [CHARGE_INVLPG] = 1},
		.memory = {.tables = {1, 2, 3}, .teas = {1, 1, 1}, .extra = 4},
		.seconds = 2};
	row.stats.memory.peak = 8;
	row.spec.skip = 10;
	p.profile.exit_cycles = 100;
	walk_figures(&f, &p, &row);
	assert_true(f.walk_speedup == 2);
	assert_true(f.share == 0.4);
	assert_true(f.app_speedup == 1.25);
	assert_true(f.run_speedup == 1000.0 / 1100);
	assert_true(f.rate == 50);
	assert_int_equal(f.exits, 6);
	assert_int_equal(f.tables, 10);
	assert_int_equal(f.tables_peak, 8);
	row.stats.walk_cycles = 0; /* nothing is infinitely faster */
	walk_figures(&f, &p, &row);
	assert_true(f.walk_speedup < 0);
	radix.done = false; /* nothing to compare with */
	walk_figures(&f, &p, &row);
	assert_true(f.app_speedup < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_parsed),
		cmocka_unit_test(wrong_lists_are_refused),
		cmocka_unit_test(counts_are_parsed),
		cmocka_unit_test(perf_of_intel_is_read),
		cmocka_unit_test(perf_with_separators_is_read),
		cmocka_unit_test(perf_of_other_locales_is_read),
		cmocka_unit_test(perf_of_amd_is_read),
		cmocka_unit_test(wrong_perf_is_refused),
		cmocka_unit_test(rows_come_back),
		cmocka_unit_test(torn_lines_are_none),
		cmocka_unit_test(wrong_counters_are_none),
		cmocka_unit_test(keys_tell_rows_apart),
		cmocka_unit_test(figures_follow_from_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
