/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The microbenchmark: what single operations cost at the level it runs at.
 * It measures nothing itself; it brackets each iteration with markers
 * (lib/marker.h) and the instrument outside counts.
 *
 *	ops=a,b,c   operations in this order (default: all)
 *	n=200       iterations of each
 *	warmup=20   unmarked iterations before them
 *	list=1      print names and meanings instead
 *
 * For each operation it prints "op NAME N" and runs the series behind
 * MARK_OP, or prints "skip NAME REASON". The empty operation always comes
 * first, to be subtracted. Ends with "done" and value 0, or with
 * "error WHAT" and another value of enum exit_value.
 */
#include "guest/bench/op.h"

#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"
#include "guest/lib/smp.h"
#include "lib/marker.h"

#define DEFAULT_N      200
#define DEFAULT_WARMUP 20

struct bench {
	u64 n, warmup;
};

/* op_empty is the first, see run_all(). */
static const struct op *const ops[] = {
	&op_empty,	&op_cpuid,  &op_hypercall,  &op_msr_read, &op_pio_user,
	&op_dev_notify, &op_timer,  &op_self_ipi,   &op_ipi,	  &op_ipi_halt,
	&op_idle_wake,	&op_cr0_wp, &op_page_fault,
};

int main(const char *cmdline);

void bench_fail(const char *what, int value)
{
	serial_printf("error %s\n", what);
	guest_exit(value);
}

static const struct op *find(struct word name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (word_is(name, ops[i]->name))
			return ops[i];
	return NULL;
}

static void check_names(struct word list)
{
	struct word name;

	while (word_next_item(&list, &name)) {
		if (find(name))
			continue;
		serial_printf("error unknown op %.*s\n", (int)name.len,
			      name.text);
		guest_exit(EXIT_USAGE);
	}
}

/* Kept out of line: the instrument relies on one site for each marker. */
__attribute__((noinline)) static void series(void (*run)(void),
					     const struct bench *b)
{
	MARK(MARK_OP);
	for (u64 i = 0; i < b->warmup; i++)
		run();
	for (u64 i = 0; i < b->n; i++) {
		MARK(MARK_BEGIN);
		run();
		MARK(MARK_END);
	}
}

static void measure(const struct op *op, const struct bench *b)
{
	const char *obstacle = NULL;

	if (op->needs == NEEDS_TWO_CPUS && smp_cpus() < 2)
		obstacle = "needs two CPUs";
	else if (op->setup)
		obstacle = op->setup(b->warmup + b->n);
	if (obstacle) {
		serial_printf("skip %s %s\n", op->name, obstacle);
		return;
	}
	serial_printf("op %s %lu\n", op->name, b->n);
	serial_drain();
	series(op->run, b);
	if (op->teardown)
		op->teardown();
}

static void run_all(struct word list, const struct bench *b)
{
	struct word name;

	measure(&op_empty, b);
	if (!list.text)
		for (size_t i = 1; i < ARRAY_SIZE(ops); i++)
			measure(ops[i], b);
	while (word_next_item(&list, &name))
		if (find(name) != &op_empty)
			measure(find(name), b);
}

static void list_ops(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		serial_printf("%-10s %s\n", ops[i]->name, ops[i]->doc);
}

int main(const char *cmdline)
{
	struct word list = cmdline_find(cmdline, "ops");
	struct bench b = {.n = DEFAULT_N, .warmup = DEFAULT_WARMUP};

	serial_init();
	if (cmdline_find(cmdline, "list").text) {
		list_ops();
		return EXIT_OK;
	}
	if (!cmdline_number(cmdline, "n", &b.n) ||
	    !cmdline_number(cmdline, "warmup", &b.warmup))
		bench_fail("n and warmup are numbers", EXIT_USAGE);
	check_names(list);

	idt_init();
	apic_init();
	smp_init(); /* behind both: it handles a vector and sends IPIs */
	run_all(list, &b);
	serial_printf("done\n");
	return EXIT_OK;
}
