/* SPDX-License-Identifier: Apache-2.0 */
/* lab/counts and lab/micro: from the instrument's text to results. */
#include "lab/micro.h"
#include "lib/marker.h"
#include "test/unit/unit.h"

/* One mark, with what the CPU has counted so far. */
static void put_mark(FILE *f, unsigned code, const struct level_counts *so_far)
{
	u64 values[COUNT_COLUMNS];

	memcpy(values, so_far, sizeof(values));
	fprintf(f, "mark %u 0\ncpu 0", code);
	for (size_t i = 0; i < COUNT_COLUMNS; i++)
		fprintf(f, " %llu", (unsigned long long)values[i]);
	fputc('\n', f);
}

/* Instructions of L0 and L1, switches and ticks of L0 at each mark. */
static const struct {
	unsigned code;
	struct level_counts so_far;
} marks[] = {
	{MARK_OP, {.insns = {0, 0}}},
	{MARK_BEGIN, {.insns = {0, 1}}},
	{MARK_END, {.insns = {0, 6}}},
	{MARK_OP, {.insns = {0, 10}}},
	{MARK_BEGIN, {.insns = {0, 10}}},
	{MARK_END, {.insns = {100, 25}, .vmruns = {1}}},
	{MARK_BEGIN, {.insns = {100, 25}, .vmruns = {1}}},
	{MARK_END, {.insns = {900, 40}, .vmruns = {3}, .ticks = {1}}},
	{MARK_BEGIN, {.insns = {900, 40}, .vmruns = {3}, .ticks = {1}}},
	{MARK_END, {.insns = {1000, 55}, .vmruns = {4}, .ticks = {1}}},
};

/* "empty" costs 5 of L1; the operation 5 + 10 of L1, 100 of L0, one switch;
 * its second window was hit by a tick. */
static char *sample(bool complete)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	fputs("switchcount 1\ncpus 1\ncolumns ...\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		put_mark(f, marks[i].code, &marks[i].so_far);
	fputs("site vmrun 0 0x0 4\n", f);
	if (complete) {
		fputs("end\ncpu 0", f);
		for (size_t i = 0; i < COUNT_COLUMNS; i++)
			fputs(" 1", f);
		fputc('\n', f);
	}
	(void)fclose(f);
	return text;
}

static void windows_become_results(void **state)
{
	char *text = sample(true);
	struct counts c;
	struct micro_result m;
	const struct op_result *op;
	struct err err;

	(void)state;
	assert_int_equal(counts_parse(&c, text, &err), 0);
	assert_int_equal(micro_analyse(&m, &c,
				       "op empty 1\r\nop cpuid 3\r\n"
				       "skip ipi needs two CPUs\r\ndone\r\n",
				       &err),
			 0);
	op = micro_find(&m, "cpuid");
	assert_non_null(op);
	assert_int_equal(op->windows, 2);
	assert_int_equal(op->ticked, 1);
	assert_int_equal(op->insns.min, 110);
	assert_int_equal(op->insns.max, 110);
	assert_int_equal(op->ticked_insns.median, 810);
	assert_int_equal(op->switches.median, 1);
	assert_int_equal(op->typical.insns[0], 100);
	assert_null(micro_find(&m, "ipi"));
	assert_string_equal(m.op[2].skipped, "needs two CPUs");
	counts_free(&c);
	free(text);
}

static void missing_windows_are_an_error(void **state)
{
	char *text = sample(true);
	struct counts c;
	struct micro_result m;
	struct err err;

	(void)state;
	assert_int_equal(counts_parse(&c, text, &err), 0);
	assert_int_equal(
		micro_analyse(&m, &c, "op empty 1\nop cpuid 4\n", &err), -1);
	assert_int_equal(micro_analyse(&m, &c, "garbage\n", &err), -1);
	counts_free(&c);
	free(text);
}

static void incomplete_output_is_an_error(void **state)
{
	char *text = sample(false);
	char empty[] = "", other[] = "switchcount 2\nend\n";
	struct counts c;
	struct err err;

	(void)state;
	assert_int_equal(counts_parse(&c, text, &err), -1);
	assert_int_equal(counts_parse(&c, empty, &err), -1);
	assert_int_equal(counts_parse(&c, other, &err), -1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_become_results),
		cmocka_unit_test(missing_windows_are_an_error),
		cmocka_unit_test(incomplete_output_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
