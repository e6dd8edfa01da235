/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test/svm_l2.h"

#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"

#define CPUID_SVM_DETAIL 0x8000000a

static bool failed; /* the row that runs */

u32 svm_features(void)
{
	return cpuid(CPUID_SVM_DETAIL, 0).edx;
}

u64 l2_run(svm_code *code)
{
	int trap = svm_run(code ? code : svm_handler);

	if (trap != NO_TRAP)
		return L2_TRAPPED | (u32)trap;
	return svm_vmcb.control.exit_code;
}

bool l2_expect(const char *what, u64 got, u64 want)
{
	if (got == want)
		return true;
	serial_printf("# %s: 0x%lx, expected 0x%lx\n", what, got, want);
	failed = true;
	return false;
}

bool l2_expect_exit(svm_code *code, u64 want)
{
	return l2_expect("exit code", l2_run(code), want);
}

static bool chosen(const struct l2_row *r, struct word only)
{
	return !only.text || word_list_has(only, r->name);
}

static unsigned count_chosen(const struct l2_table *t, struct word only)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += chosen(&t->rows[i], only);
	return n;
}

static void run_row(const struct l2_row *r, bool trace)
{
	if (trace)
		serial_printf("# row %s\n", r->name);
	if (r->needs & ~svm_features()) {
		tap_skip("not offered", r->name);
		return;
	}
	failed = false;
	svm_reset();
	r->run(r);
	tap_ok(!failed, "%s", r->name);
}

static void run_table(const struct l2_table *t, const char *cmdline)
{
	struct word only = cmdline_find(cmdline, "only");
	struct word skip = cmdline_find(cmdline, "skip");
	bool trace = cmdline_find(cmdline, "trace").text;

	for (size_t i = 0; i < t->count; i++) {
		if (!chosen(&t->rows[i], only))
			continue;
		if (word_list_has(skip, t->rows[i].name))
			tap_skip("told to", t->rows[i].name);
		else
			run_row(&t->rows[i], trace);
	}
}

int l2_main(const char *cmdline, const struct l2_table *tables, size_t count)
{
	struct word only = cmdline_find(cmdline, "only");
	unsigned planned = 0;

	serial_init();
	idt_init();
	if (!svm_init()) {
		serial_printf("1..0 # SKIP no SVM\n");
		return EXIT_OK;
	}
	for (size_t t = 0; t < count; t++)
		planned += count_chosen(&tables[t], only);
	tap_plan(planned);
	for (size_t t = 0; t < count; t++)
		run_table(&tables[t], cmdline);
	return tap_done();
}
