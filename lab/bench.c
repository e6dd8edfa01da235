/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/bench.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "lab/report.h"
#include "lab/save.h"

/* The operation whose exit is taken apart: the plainest one there is. */
#define SPLIT_OP     "cpuid"
#define SPLIT_STACKS 2 /* side by side in 80 columns */

static const struct bench_stack *find_stack(const struct bench *b,
					    const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (!strcmp(b->stack[i].spec.stack.name, name))
			return &b->stack[i];
	return NULL;
}

/* The same operation one level down, if it was measured. */
static const struct op_result *level_below(const struct bench *b,
					   const struct bench_stack *s,
					   const char *name)
{
	const struct bench_stack *below;
	char stack[MAX_LEVEL + 2];

	stack_name_below(&s->spec.stack, stack);
	below = find_stack(b, stack);
	return below ? micro_find(&below->result, name) : NULL;
}

static double l0_share(const struct op_result *op)
{
	u64 all = counts_insns(&op->typical);

	return all ? 100.0 * (double)op->typical.insns[0] / (double)all : 0;
}

/* 33994 -> "33,994"; a few buffers, so that one printf can take several. */
static const char *grouped(u64 value)
{
	static char buffers[8][32];
	static unsigned next;
	char digits[24], *to = buffers[next++ % 8], *start = to;
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return start;
}

static void print_row(const struct bench *b, const struct bench_stack *s,
		      const char *name, FILE *to)
{
	const struct op_result *op = micro_find(&s->result, name);
	const struct op_result *below = level_below(b, s, name);

	fprintf(to, "  %-12s %-5s ", name, s->spec.stack.name);
	if (!op) {
		fprintf(to, "%12s\n", "-");
		return;
	}
	fprintf(to, "%12s %9s %11s %5.0f %%", grouped(op->insns.median),
		grouped(op->switches.median), grouped(op->reflections.median),
		l0_share(op));
	if (below && below->insns.median)
		fprintf(to, " %7.1f",
			(double)op->insns.median / (double)below->insns.median);
	fputc('\n', to);
}

static void print_operations(const struct bench *b, FILE *to)
{
	const struct micro_result *first = &b->stack[0].result;

	fprintf(to,
		"What one operation of the guest costs (CPU %s, median; "
		"exact)\n\n",
		b->stack[0].spec.cpu);
	fprintf(to, "  %-12s %-5s %12s %9s %11s %7s %7s\n", "operation",
		"stack", "instructions", "switches", "reflections", "L0",
		"x below");
	for (size_t i = 0; i < first->n; i++) {
		if (!strcmp(first->op[i].name, "empty"))
			continue;
		for (size_t k = 0; k < b->n; k++)
			print_row(b, &b->stack[k], first->op[i].name, to);
	}
}

static void print_disturbed(const struct bench *b, FILE *to)
{
	for (size_t k = 0; k < b->n; k++) {
		const struct micro_result *m = &b->stack[k].result;

		for (size_t i = 0; i < m->n; i++)
			if (m->op[i].ticked)
				fprintf(to,
					"  %s %s: %zu of %zu windows, median "
					"%s\n",
					b->stack[k].spec.stack.name,
					m->op[i].name, m->op[i].ticked,
					m->op[i].ticked + m->op[i].windows,
					grouped(m->op[i].ticked_insns.median));
	}
}

/* How L0's work is called in the table. */
static const char *const cause_text[CAUSES] = {
	[CAUSE_NONE] = "L0 before any guest",
	[CAUSE_OTHER] = "L0: exits that stay with it",
	[CAUSE_REFLECT] = "L0: reflecting the exit to L1",
	[CAUSE_VMRUN] = "L0: emulating L1's VMRUN",
	[CAUSE_VMLOAD] = "L0: emulating L1's VMLOAD",
	[CAUSE_VMSAVE] = "L0: emulating L1's VMSAVE",
	[CAUSE_STGI] = "L0: emulating L1's STGI",
	[CAUSE_CLGI] = "L0: emulating L1's CLGI",
	[CAUSE_INVLPGA] = "L0: emulating L1's INVLPGA",
};

/* The stacks whose exit is taken apart in one table, side by side. */
struct split {
	const struct bench_stack *stack[SPLIT_STACKS];
	size_t n;
};

/* One row: what a part costs on each stack, if on any. */
struct part {
	u64 times, insns;
};

static struct part part_of(const struct bench_stack *s, int row)
{
	const struct level_counts *t =
		&micro_find(&s->result, SPLIT_OP)->typical;

	if (row < CAUSES)
		return (struct part){t->cause_count[row], t->cause_insns[row]};
	return (struct part){0, t->insns[row - CAUSES + 1]};
}

static void print_part(FILE *to, const struct split *s, int row)
{
	char level[24];
	u64 any = 0;

	for (size_t i = 0; i < s->n; i++)
		any += part_of(s->stack[i], row).insns;
	if (!any)
		return;
	snprintf(level, sizeof(level), "L%d's own code", row - CAUSES + 1);
	fprintf(to, "  %-30s", row < CAUSES ? cause_text[row] : level);
	for (size_t i = 0; i < s->n; i++) {
		struct part p = part_of(s->stack[i], row);
		u64 all = counts_insns(
			&micro_find(&s->stack[i]->result, SPLIT_OP)->typical);

		fprintf(to, " %5s %8s %4.0f %%",
			p.times ? grouped(p.times) : "", grouped(p.insns),
			100.0 * (double)p.insns / (double)all);
	}
	fputc('\n', to);
}

static void print_split(const struct split *s, int top, FILE *to)
{
	fprintf(to, "\nWhere the instructions of one L%d exit (%s) go\n\n", top,
		SPLIT_OP);
	fprintf(to, "  %-30s", "part");
	for (size_t i = 0; i < s->n; i++)
		fprintf(to, " times %8s%s", s->stack[i]->spec.stack.name,
			i + 1 < s->n ? "       " : "");
	fputc('\n', to);
	for (int row = 0; row < CAUSES + top; row++)
		print_part(to, s, row);
	fprintf(to, "  %-30s", "sum");
	for (size_t i = 0; i < s->n; i++)
		fprintf(to, " %5s %8s%s", "",
			grouped(counts_insns(
				&micro_find(&s->stack[i]->result, SPLIT_OP)
					 ->typical)),
			i + 1 < s->n ? "       " : "");
	fputc('\n', to);
}

/* A table for each level of guests above L1, in lines of 80 columns. */
static void print_splits(const struct bench *b, FILE *to)
{
	for (int top = 2; top <= MAX_LEVEL; top++) {
		struct split s = {.n = 0};

		for (size_t k = 0; k < b->n; k++) {
			const struct bench_stack *stack = &b->stack[k];

			if (stack->spec.stack.guest_level != top ||
			    !micro_find(&stack->result, SPLIT_OP))
				continue;
			if (s.n == SPLIT_STACKS) {
				print_split(&s, top, to);
				s.n = 0;
			}
			s.stack[s.n++] = stack;
		}
		if (s.n)
			print_split(&s, top, to);
	}
}

/* What a reader should take from it, from this run's own figures. */
static void print_lesson(const struct bench *b, FILE *to)
{
	const struct bench_stack *vm = find_stack(b, "1k"), *nested;
	const struct op_result *one, *two;
	const struct level_counts *t;
	u64 trapped;

	nested = find_stack(b, "2kk");
	one = vm ? micro_find(&vm->result, SPLIT_OP) : NULL;
	two = nested ? micro_find(&nested->result, SPLIT_OP) : NULL;
	if (!one || !two || !one->insns.median)
		return;
	t = &two->typical;
	trapped = t->cause_insns[CAUSE_VMLOAD] + t->cause_insns[CAUSE_VMSAVE] +
		  t->cause_insns[CAUSE_STGI] + t->cause_insns[CAUSE_CLGI];
	fprintf(to,
		"\nOne exit of L2 costs %.1f times one of L1, because it takes "
		"%" PRIu64 " world switches\ninstead of %" PRIu64
		": L0 spends %.0f %% of the instructions on emulating L1's "
		"VMRUN,\n%.0f %% on the SVM instructions around it, and L1's "
		"own code is only %.0f %%.\n",
		(double)two->insns.median / (double)one->insns.median,
		two->switches.median, one->switches.median,
		100.0 * (double)t->cause_insns[CAUSE_VMRUN] /
			(double)counts_insns(t),
		100.0 * (double)trapped / (double)counts_insns(t),
		100.0 * (double)t->insns[1] / (double)counts_insns(t));
}

/* What L0 = nestbox.elf changes for its own guest. */
static void print_lesson_nestbox(const struct bench *b, FILE *to)
{
	const struct bench_stack *kvm = find_stack(b, "1k");
	const struct bench_stack *own = find_stack(b, "1n");
	const struct op_result *theirs, *ours;
	size_t ran = 0, quiet = 0;

	theirs = kvm ? micro_find(&kvm->result, SPLIT_OP) : NULL;
	ours = own ? micro_find(&own->result, SPLIT_OP) : NULL;
	if (!theirs || !ours)
		return;
	for (size_t i = 0; i < own->result.n; i++) {
		const struct op_result *op = &own->result.op[i];

		if (*op->skipped || !strcmp(op->name, "empty"))
			continue;
		ran++;
		quiet += !op->switches.median;
	}
	fprintf(to,
		"\nOn nestbox.elf an exit of L1 costs %" PRIu64
		" instructions instead of %s,\nand %zu of %zu operations do "
		"not exit at all: L1 has the machine's own devices.\n",
		ours->insns.median, grouped(theirs->insns.median), quiet, ran);
}

/* The same, L1 and its guest, on both. */
static void print_lesson_nested(const struct bench *b, FILE *to)
{
	const struct bench_stack *kvm = find_stack(b, "2kk");
	const struct bench_stack *own = find_stack(b, "2nk");
	const struct op_result *theirs, *ours;

	theirs = kvm ? micro_find(&kvm->result, SPLIT_OP) : NULL;
	ours = own ? micro_find(&own->result, SPLIT_OP) : NULL;
	if (!theirs || !ours || !ours->insns.median)
		return;
	fprintf(to,
		"\nThe same L1 on nestbox.elf: an exit of L2 costs %s "
		"instructions and %" PRIu64 " world\nswitches instead of %s "
		"and %" PRIu64 ", %.1f times less.\n",
		grouped(ours->insns.median), ours->switches.median,
		grouped(theirs->insns.median), theirs->switches.median,
		(double)theirs->insns.median / (double)ours->insns.median);
}

void bench_print_table(const struct bench *b, FILE *to)
{
	print_operations(b, to);
	print_splits(b, to);
	fprintf(to, "\nLeft out: windows that a hypervisor's timer tick hit\n");
	print_disturbed(b, to);
	print_lesson(b, to);
	print_lesson_nestbox(b, to);
	print_lesson_nested(b, to);
}

void bench_print_csv(const struct bench *b, FILE *to)
{
	fputs("stack,level,op,windows,ticked,insns_min,insns_median,insns_max,"
	      "switches,reflections,l0_insns\n",
	      to);
	for (size_t k = 0; k < b->n; k++) {
		const struct micro_result *m = &b->stack[k].result;

		for (size_t i = 0; i < m->n; i++) {
			const struct op_result *op = &m->op[i];

			if (*op->skipped)
				continue;
			fprintf(to,
				"%s,%d,%s,%zu,%zu,%" PRIu64 ",%" PRIu64
				",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
				"\n",
				b->stack[k].spec.stack.name,
				b->stack[k].spec.stack.guest_level, op->name,
				op->windows, op->ticked, op->insns.min,
				op->insns.median, op->insns.max,
				op->switches.median, op->reflections.median,
				op->typical.insns[0]);
		}
	}
}

static json_t *spread_json(const struct spread *s)
{
	return json_pack("{s:I, s:I, s:I}", "min", (json_int_t)s->min, "median",
			 (json_int_t)s->median, "max", (json_int_t)s->max);
}

static json_t *split_json(const struct level_counts *t)
{
	json_t *split = json_object(), *levels = json_array();

	for (int i = 0; i < LEVELS; i++)
		json_array_append_new(levels,
				      json_integer((json_int_t)t->insns[i]));
	json_object_set_new(split, "insns_by_level", levels);
	for (int i = 0; i < CAUSES; i++)
		json_object_set_new(split, cause_name[i],
				    json_pack("{s:I, s:I}", "times",
					      (json_int_t)t->cause_count[i],
					      "l0_insns",
					      (json_int_t)t->cause_insns[i]));
	return split;
}

static json_t *op_json(const struct op_result *op, const struct stack *stack)
{
	json_t *json = json_pack("{s:s, s:s, s:i}", "op", op->name, "stack",
				 stack->name, "level", stack->guest_level);

	if (*op->skipped) {
		json_object_set_new(json, "skipped", json_string(op->skipped));
		return json;
	}
	json_object_update_new(
		json, json_pack("{s:I, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "n",
				(json_int_t)op->windows, "insns",
				spread_json(&op->insns), "switches",
				(json_int_t)op->switches.median, "reflections",
				(json_int_t)op->reflections.median, "l0_insns",
				(json_int_t)op->typical.insns[0], "ticked",
				(json_int_t)op->ticked, "ticked_insns",
				spread_json(&op->ticked_insns), "split",
				split_json(&op->typical)));
	return json;
}

/* One stack's description, or several under "stacks". */
static json_t *stacks_json(const struct bench *b, const struct cache *c)
{
	json_t *list;

	if (b->n == 1)
		return report_stack(&b->stack[0].spec, c);
	list = json_array();
	for (size_t i = 0; i < b->n; i++)
		json_array_append_new(list, report_stack(&b->stack[i].spec, c));
	return json_pack("{s:o}", "stacks", list);
}

int bench_save_json(const struct bench *b, const struct cache *c,
		    const char *path, struct err *err)
{
	json_t *ops = json_array(), *json;
	int status;

	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->stack[i].result.n; k++)
			json_array_append_new(ops,
					      op_json(&b->stack[i].result.op[k],
						      &b->stack[i].spec.stack));
	json = json_pack("{s:o, s:o}", "stack", stacks_json(b, c), "ops", ops);
	status = save_json(json, path, err);
	json_decref(json);
	return status;
}
