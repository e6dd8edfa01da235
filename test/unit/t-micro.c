/* SPDX-License-Identifier: Apache-2.0 */
/* lab/counts and lab/micro: from the instrument's text to results. */
#include "lab/micro.h"
#include "lib/marker.h"
#include "test/unit/unit.h"

/* One mark with @insns of L0 and L1, @switches and @ticks of L0 so far. */
static void put_mark(FILE *f, unsigned code, u64 l0, u64 l1, u64 switches,
		     u64 ticks)
{
	u64 values[COUNT_COLUMNS] = {0};
	struct level_counts c = {
		.insns = {l0, l1}, .vmruns = {switches}, .ticks = {ticks}};

	memcpy(values, &c, sizeof(values));
	fprintf(f, "mark %u 0\ncpu 0", code);
	for (size_t i = 0; i < COUNT_COLUMNS; i++)
		fprintf(f, " %llu", (unsigned long long)values[i]);
	fputc('\n', f);
}

/* "empty" costs 5 of L1; the operation 5 + 10 of L1, 100 of L0, one switch;
 * its second window was hit by a tick. */
static char *sample(bool complete)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs("switchcount 1\ncpus 1\ncolumns ...\n", f);
	put_mark(f, MARK_OP, 0, 0, 0, 0);
	put_mark(f, MARK_BEGIN, 0, 1, 0, 0);
	put_mark(f, MARK_END, 0, 6, 0, 0);
	put_mark(f, MARK_OP, 0, 10, 0, 0);
	put_mark(f, MARK_BEGIN, 0, 10, 0, 0);
	put_mark(f, MARK_END, 100, 25, 1, 0);
	put_mark(f, MARK_BEGIN, 100, 25, 1, 0);
	put_mark(f, MARK_END, 900, 40, 3, 1);
	put_mark(f, MARK_BEGIN, 900, 40, 3, 1);
	put_mark(f, MARK_END, 1000, 55, 4, 1);
	fputs("site vmrun 0 0x0 4\n", f);
	if (complete) {
		fputs("end\n", f);
		fputs("cpu 0", f);
		for (size_t i = 0; i < COUNT_COLUMNS; i++)
			fputs(" 1", f);
		fputc('\n', f);
	}
	fclose(f);
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
