/* SPDX-License-Identifier: Apache-2.0 */
/* capture/levels: scripts of instructions, as a plugin would report them. */
#include "capture/levels.h"
#include "lib/marker.h"
#include "test/unit/unit.h"

/* A CPU and the sites of two kernels. */
struct machine {
	struct level_cpu cpu;
	u64 now;
	struct site vmrun[3]; /* of L0, L1, L2 */
	struct site vmload;   /* of L1 */
};

static struct machine new_machine(void)
{
	struct machine m = {.vmload = {.insn = SVM_VMLOAD, .level = -1}};

	for (int i = 0; i < 3; i++)
		m.vmrun[i] = (struct site){.insn = SVM_VMRUN, .level = -1};
	return m;
}

static void run(struct machine *m, u64 insns)
{
	m->now += insns;
}

static void vmrun(struct machine *m, int level)
{
	levels_insn(&m->cpu, &m->vmrun[level], ++m->now);
}

static void behind(struct machine *m, int level)
{
	levels_behind(&m->cpu, &m->vmrun[level], ++m->now);
}

static const struct level_counts *counts(struct machine *m)
{
	levels_sync(&m->cpu, m->now);
	return &m->cpu.counts;
}

static u64 all_insns(const struct level_counts *c)
{
	u64 sum = 0;

	for (int i = 0; i < LEVELS; i++)
		sum += c->insns[i];
	return sum;
}

/* L0 carries out L1's VMRUN behind its VMLOAD, and what stands behind VMRUN. */
static void carried(void **state)
{
	struct machine m = new_machine();
	const struct level_counts *c;

	(void)state;
	vmrun(&m, 0);
	run(&m, 50);
	levels_insn(&m.cpu, &m.vmload, ++m.now);
	behind(&m, 0);
	levels_carried(&m.cpu, true);
	run(&m, 200);
	vmrun(&m, 0);
	run(&m, 8); /* L2 */
	behind(&m, 0);
	levels_carried(&m.cpu, false);
	run(&m, 300);
	vmrun(&m, 0);
	run(&m, 70); /* L1 */
	behind(&m, 0);
	c = counts(&m);
	assert_int_equal(c->vmruns[1], 1);
	assert_int_equal(c->exits[1], 1);
	assert_int_equal(c->insns[2], 8);
	assert_int_equal(c->insns[1], 50 + 1 + 70);
	assert_int_equal(c->cause_count[CAUSE_VMLOAD], 1);
	assert_int_equal(c->cause_count[CAUSE_REFLECT], 1);
	assert_int_equal(all_insns(c), m.now);
}

/* L0 boots, L1 runs 50 instructions and exits, L0 handles it. */
static void one_level(void **state)
{
	struct machine m = new_machine();

	(void)state;
	run(&m, 1000);
	vmrun(&m, 0);
	run(&m, 50);
	behind(&m, 0);
	run(&m, 300);
	vmrun(&m, 0);
	run(&m, 7);
	assert_int_equal(counts(&m)->vmruns[0], 2);
	assert_int_equal(counts(&m)->exits[0], 1);
	assert_int_equal(counts(&m)->insns[0], 1001 + 302);
	assert_int_equal(counts(&m)->insns[1], 57);
	assert_int_equal(counts(&m)->cause_insns[CAUSE_NONE], 1001);
	assert_int_equal(counts(&m)->cause_insns[CAUSE_OTHER], 302);
	assert_int_equal(all_insns(counts(&m)), m.now);
}

/* Brings L2 to life: L1's VMRUN traps, L0 emulates it in 100 instructions. */
static void enter_l2(struct machine *m)
{
	vmrun(m, 0);
	run(m, 10);
	vmrun(m, 1);
	behind(m, 0);
	run(m, 98);
	vmrun(m, 0);
}

static void vmrun_of_l1_is_emulated(void **state)
{
	struct machine m = new_machine();

	(void)state;
	enter_l2(&m);
	run(&m, 5);
	assert_int_equal(m.vmrun[0].level, 0);
	assert_int_equal(m.vmrun[1].level, 1);
	assert_int_equal(counts(&m)->vmruns[0], 2);
	assert_int_equal(counts(&m)->vmruns[1], 1);
	assert_int_equal(counts(&m)->cause_count[CAUSE_VMRUN], 1);
	assert_int_equal(counts(&m)->cause_insns[CAUSE_VMRUN], 100);
	assert_int_equal(counts(&m)->insns[1], 11);
	assert_int_equal(counts(&m)->insns[2], 5);
}

static void exit_of_l2_is_reflected(void **state)
{
	struct machine m = new_machine();

	(void)state;
	enter_l2(&m);
	run(&m, 5);
	behind(&m, 0); /* L2 exits */
	run(&m, 40);
	vmrun(&m, 0);
	behind(&m, 1); /* L1 sees it */
	run(&m, 9);
	assert_int_equal(counts(&m)->exits[1], 1);
	assert_int_equal(counts(&m)->cause_count[CAUSE_REFLECT], 1);
	assert_int_equal(counts(&m)->cause_insns[CAUSE_REFLECT], 42);
	assert_int_equal(counts(&m)->cause_count[CAUSE_OTHER], 0);
	assert_int_equal(counts(&m)->insns[1], 11 + 10);
}

static void exit_of_l2_handled_by_l0(void **state)
{
	struct machine m = new_machine();

	(void)state;
	enter_l2(&m);
	run(&m, 5);
	behind(&m, 0);
	run(&m, 40);
	vmrun(&m, 0);
	run(&m, 3);
	assert_int_equal(counts(&m)->exits[1], 0);
	assert_int_equal(counts(&m)->cause_insns[CAUSE_OTHER], 42);
	assert_int_equal(counts(&m)->insns[2], 8);
}

static void trapped_vmload_has_its_own_cause(void **state)
{
	struct machine m = new_machine();

	(void)state;
	vmrun(&m, 0);
	run(&m, 10);
	levels_insn(&m.cpu, &m.vmload, ++m.now);
	behind(&m, 0);
	run(&m, 20);
	vmrun(&m, 0);
	run(&m, 2);
	assert_int_equal(counts(&m)->cause_insns[CAUSE_VMLOAD], 22);
	assert_int_equal(m.vmload.count, 1);
}

/* An SVM instruction that did not trap says nothing of a later exit. */
static void untrapped_vmload_is_no_cause(void **state)
{
	struct machine m = new_machine();

	(void)state;
	vmrun(&m, 0);
	levels_insn(&m.cpu, &m.vmload, ++m.now);
	run(&m, 1);
	behind(&m, 0);
	vmrun(&m, 0);
	run(&m, 2);
	assert_int_equal(counts(&m)->cause_count[CAUSE_VMLOAD], 0);
	assert_int_equal(counts(&m)->cause_count[CAUSE_OTHER], 1);
}

/* L2's VMRUN goes to L1, whose own VMRUN then runs L3; L3's exit reaches L2
 * through L1. */
static void third_level(void **state)
{
	struct machine m = new_machine();

	(void)state;
	enter_l2(&m);
	run(&m, 4);
	vmrun(&m, 2); /* traps */
	behind(&m, 0);
	vmrun(&m, 0);
	behind(&m, 1); /* reflected to L1, which emulates it */
	run(&m, 6);
	vmrun(&m, 1);
	behind(&m, 0);
	vmrun(&m, 0);
	run(&m, 30); /* L3 */
	behind(&m, 0);
	vmrun(&m, 0);
	behind(&m, 1); /* L1 reflects L3's exit ... */
	vmrun(&m, 1);
	behind(&m, 0);
	vmrun(&m, 0);
	behind(&m, 2); /* ... to L2 */
	run(&m, 2);
	assert_int_equal(m.vmrun[2].level, 2);
	assert_int_equal(counts(&m)->insns[3], 30);
	assert_int_equal(counts(&m)->insns[2], 4 + 1 + 3);
	assert_int_equal(counts(&m)->exits[1], 2);
	assert_int_equal(counts(&m)->exits[2], 1);
	assert_int_equal(counts(&m)->vmruns[2], 1);
	assert_int_equal(counts(&m)->cause_count[CAUSE_REFLECT], 2);
	assert_int_equal(all_insns(counts(&m)), m.now);
}

static void ticks_belong_to_the_level_that_takes_them(void **state)
{
	struct machine m = new_machine();

	(void)state;
	run(&m, 10);
	levels_tick(&m.cpu, ++m.now);
	vmrun(&m, 0);
	run(&m, 3);
	levels_tick(&m.cpu, ++m.now);
	assert_int_equal(counts(&m)->ticks[0], 1);
	assert_int_equal(counts(&m)->ticks[1], 1);
}

static void svm_instructions_are_decoded(void **state)
{
	static const u8 vmrun_bytes[] = {0x0f, 0x01, 0xd8};
	static const u8 invlpga[] = {0x0f, 0x01, 0xdf};
	static const u8 prefixed[] = {0x67, 0x0f, 0x01, 0xda};
	static const u8 swapgs[] = {0x0f, 0x01, 0xf8};

	(void)state;
	assert_int_equal(svm_insn_decode(vmrun_bytes, 3), SVM_VMRUN);
	assert_int_equal(svm_insn_decode(invlpga, 3), SVM_INVLPGA);
	assert_int_equal(svm_insn_decode(prefixed, 4), SVM_VMLOAD);
	assert_int_equal(svm_insn_decode(swapgs, 3), SVM_NONE);
	assert_int_equal(svm_insn_decode(vmrun_bytes, 2), SVM_NONE);
}

static void markers_are_told_from_padding(void **state)
{
	static const u8 begin[] = {0x0f, 0x1f, 0x84, 0, 2, 0, 0x42, 0x4e};
	static const u8 beyond[] = {0x0f, 0x1f, 0x84, 0, 9, 0, 0x42, 0x4e};
	static const u8 padding[] = {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};

	(void)state;
	assert_int_equal(marker_code(begin, 8), MARK_BEGIN);
	assert_int_equal(marker_code(beyond, 8), 0);
	assert_int_equal(marker_code(padding, 8), 0);
	assert_int_equal(marker_code(begin, 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_level),
		cmocka_unit_test(carried),
		cmocka_unit_test(vmrun_of_l1_is_emulated),
		cmocka_unit_test(exit_of_l2_is_reflected),
		cmocka_unit_test(exit_of_l2_handled_by_l0),
		cmocka_unit_test(trapped_vmload_has_its_own_cause),
		cmocka_unit_test(untrapped_vmload_is_no_cause),
		cmocka_unit_test(third_level),
		cmocka_unit_test(ticks_belong_to_the_level_that_takes_them),
		cmocka_unit_test(svm_instructions_are_decoded),
		cmocka_unit_test(markers_are_told_from_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
