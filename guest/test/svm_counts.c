/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nestbox.elf counts of L1's SVM, in TAP, as its guest: a known number of
 * VMRUNs and exits is counted exactly, the sums agree, and in the steady state
 * NPT02 costs no fault although L1 orders a flush at each VMRUN.
 */
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/nestbox.h"
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "guest/test/svm.h"
#include "lib/exit.h"

#define TESTS  9
#define RUNS   100
#define CPUIDS 3 /* of do_cpuids */

enum { BY_L0, BY_L1 };

int main(const char *cmdline);

static u64 token[2];

SVM_CODE(do_nothing, "nop")
SVM_CODE(do_cpuids, "xor %eax, %eax; cpuid; cpuid; cpuid")
/* RDI, RSI: memory to read and to write */
SVM_CODE(do_touch, "mov (%rdi), %rax; mov %rax, (%rsi)")

static struct nestbox_call call(u64 number, struct nestbox_call c)
{
	c.rax = number;
	c.rbx = token[0];
	c.rcx = token[1];
	nestbox_call(&c);
	return c;
}

static u64 count(unsigned level, enum exit_slot slot, unsigned handler)
{
	return call(HYPERCALL_COUNT, (struct nestbox_call){.rsi = level,
							   .rdi = slot,
							   .r8 = handler})
		.rbx;
}

static u64 count_all(unsigned level, unsigned handler)
{
	u64 sum = 0;

	for (unsigned slot = 0; slot < EXIT_SLOTS; slot++)
		sum += count(level, (enum exit_slot)slot, handler);
	return sum;
}

static struct nestbox_call nested(void)
{
	return call(HYPERCALL_NESTED, (struct nestbox_call){0});
}

static struct nestbox_call shadow(void)
{
	return call(HYPERCALL_SHADOW, (struct nestbox_call){0});
}

static void runs(svm_code *code, u8 tlb_control)
{
	for (unsigned i = 0; i < RUNS; i++) {
		svm_vmcb.control.tlb_control = tlb_control;
		svm_run(code);
	}
}

/* Exits *********************************************************************/

static void test_reflected(void)
{
	struct nestbox_call a, b;
	u64 vmruns, calls;

	svm_reset();
	runs(do_nothing, VMCB_TLB_KEEP);
	vmruns = count(1, EXIT_vmrun, BY_L0);
	calls = count(2, EXIT_vmcall, BY_L1);
	a = nested();
	runs(do_nothing, VMCB_TLB_KEEP);
	b = nested();
	tap_ok(!a.rax && b.rbx - a.rbx == RUNS && b.rcx - a.rcx == RUNS &&
		       b.rdx == a.rdx && b.rsi == 1,
	       "nested: %u VMRUNs, each reflected", RUNS);
	tap_ok(count(1, EXIT_vmrun, BY_L0) - vmruns == RUNS &&
		       count(2, EXIT_vmcall, BY_L1) - calls == RUNS,
	       "nested: the same by exits");
}

static void test_handled(void)
{
	u64 before = count(2, EXIT_cpuid, BY_L0);
	struct nestbox_call a, b;

	svm_reset();
	a = nested();
	runs(do_cpuids, VMCB_TLB_KEEP);
	b = nested();
	tap_ok(count(2, EXIT_cpuid, BY_L0) - before == (u64)RUNS * CPUIDS &&
		       b.rcx - a.rcx == RUNS,
	       "nested: exits that L0 handles");
}

static void test_refused(void)
{
	struct nestbox_call a, b;

	svm_reset();
	svm_vmcb.control.asid = 0;
	a = nested();
	svm_run(do_nothing);
	b = nested();
	tap_ok(b.rbx - a.rbx == 1 && b.rcx == a.rcx && b.rdx - a.rdx == 1,
	       "nested: a refused VMRUN");
}

/* By the end, with all kinds of them. The calls in between are L1's. */
static void test_sums(void)
{
	struct nestbox_call n = nested();

	tap_ok(count_all(2, BY_L1) == n.rcx, "sums: reflected");
	tap_ok(n.rbx == n.rcx + n.rdx, "sums: VMRUNs and their ends");
	tap_ok(!count_all(1, BY_L1), "sums: L1 handles no exit of its own");
}

/* NPT02 *********************************************************************/

static void touch(u64 from, u64 to, u8 tlb_control)
{
	svm_regs.rdi = from;
	svm_regs.rsi = to;
	runs(do_touch, tlb_control);
}

static void test_steady(void)
{
	struct nestbox_call a, b;
	u64 faults;

	svm_reset();
	touch(SVM_PAGE_A, SVM_PAGE_B, VMCB_TLB_FLUSH_ASID);
	faults = count(2, EXIT_npf, BY_L0);
	a = shadow();
	touch(SVM_PAGE_A, SVM_PAGE_B, VMCB_TLB_FLUSH_ASID);
	b = shadow();
	tap_ok(b.rbx == a.rbx && b.rcx - a.rcx == RUNS && b.rsi == a.rsi &&
		       b.rdi == a.rdi && b.r8 == a.r8 &&
		       count(2, EXIT_npf, BY_L0) == faults,
	       "NPT02: %u flushes, %lu fills", RUNS, b.rbx - a.rbx);
}

/* Each change of L1's in its tables costs one. */
static void test_changes(void)
{
	struct nestbox_call a = shadow(), b;
	u64 *entry = svm_npte(SVM_PAGE_A);

	for (unsigned i = 0; i < RUNS; i++) {
		*entry = (i % 2 ? SVM_PAGE_A : SVM_PAGE_B) | NPTE_ALL;
		svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ASID;
		svm_run(do_touch);
	}
	b = shadow();
	tap_ok(b.rbx - a.rbx == RUNS && b.rdx - a.rdx == RUNS,
	       "NPT02: %lu fills after %u changes", b.rbx - a.rbx, RUNS);
}

int main(const char *cmdline)
{
	(void)cmdline;
	serial_init();
	if (!nestbox_below() || !nestbox_token(token) || !svm_init()) {
		serial_printf("error: only on nestbox.elf with SVM\n");
		return EXIT_USAGE;
	}
	tap_plan(TESTS);
	idt_init();
	test_reflected();
	test_handled();
	test_refused();
	test_steady();
	test_changes();
	test_sums();
	return tap_done();
}
