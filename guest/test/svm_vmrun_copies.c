/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the VMCB counts: not while L2 runs, whoever writes it then; anew at
 * another address; and what its clean bits promise (AMD APM vol. 2, 15.15).
 */
#include "guest/test/svm_vmrun.h"

#include "guest/lib/idt.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define TSC_FAR	      0x1000000000ull
#define BIT_TSC	      (1ull << 44)
#define CLEAN_ALL     0xfffu
#define CLEAN_CONTROL 0x001u /* intercepts, offsets */
#define CLEAN_NP      0x010u
#define CLEAN_CRX     0x020u
#define CLEAN_DRX     0x040u
#define CLEAN_DT      0x080u
#define CLEAN_SEG     0x100u
#define CLEAN_CR2     0x200u
#define ADDRESSES     16u
#define COPIES	      (SVM_SCRATCH + 0x40000)

/* RBX = what is written, in L2's mapping of the VMCB; RCX = the value. */
SVM_CODE(write_then_stop, "mov %ecx, (%rbx)")
SVM_CODE(write_then_cpuid, "mov %ecx, (%rbx); xor %eax, %eax; cpuid;"
			   "mov $0x7261, %ebx")
SVM_CODE(write_then_tsc, "mov %ecx, 4(%rbx); rdtsc; shl $32, %rdx;"
			 "lea (%rdx, %rax), %rbx")
SVM_CODE(write_then_move, "mov %rcx, (%rbx); mov $0x7261, %ebx")

SVM_CODE(get_cr4, "mov %cr4, %rbx")
SVM_CODE(get_cr2, "mov %cr2, %rbx")
SVM_CODE(get_rax, "mov %rax, %rbx")
SVM_CODE(get_dr7, "mov %dr7, %rbx")
SVM_CODE(get_ds, "mov %ds, %ebx")
SVM_CODE(get_gdtr, "sub $16, %rsp; sgdt (%rsp); mov 2(%rsp), %rbx")
SVM_CODE(get_tsc_high, "rdtsc; mov %edx, %ebx; and $~0xf, %ebx")
SVM_CODE(get_page_a, "movabs $0x2001000, %rax; mov (%rax), %rbx")

/* Page A of L2 is the VMCB; L2 writes .set to the field at .arg. */
static u64 run_writer(const struct l2_row *r)
{
	*svm_npte(SVM_PAGE_A) = (u64)&svm_vmcb | NPTE_ALL;
	svm_regs.rbx = SVM_PAGE_A + r->arg;
	svm_regs.rcx = r->set;
	return l2_run(r->code);
}

static void written(const struct l2_row *r)
{
	l2_expect("exit code", run_writer(r), r->want);
}

static void written_tsc(const struct l2_row *r)
{
	u64 before = rdtsc();

	l2_expect("exit code", run_writer(r), VMCB_EXIT_VMMCALL);
	l2_expect("old offset", svm_regs.rbx - before < TSC_FAR, 1);
}

/* What #VMEXIT saves hides what L2 wrote. */
static void written_save(const struct l2_row *r)
{
	l2_expect("exit code", run_writer(r), VMCB_EXIT_VMMCALL);
	l2_expect("L2 went on", svm_regs.rbx, 0x7261);
	l2_expect("saved", *(u64 *)((u64)&svm_vmcb + r->arg) != r->set, 1);
}

/* The VMCB's copy on page B, which has another RAX. */
static void other_address(const struct l2_row *r)
{
	struct vmcb *copy = (struct vmcb *)SVM_PAGE_B;

	svm_vmcb.save.rip = (u64)get_rax;
	svm_vmcb.save.rax = 'a';
	svm_run_raw();
	svm_vmcb.save.rip = (u64)get_rax;
	*copy = svm_vmcb;
	copy->save.rax = 'b';
	copy->control.clean = (u32)r->set;
	copy->control.exit_code = 0;
	svm_vmcb.control.exit_code = 0;
	svm_run_at((u64)copy);
	svm_stgi();
	l2_expect("its exit code", copy->control.exit_code, VMCB_EXIT_VMMCALL);
	l2_expect("the other's", svm_vmcb.control.exit_code, 0);
	l2_expect("its RAX", svm_regs.rbx, 'b');
}

/* Clean bits say nothing of a block at another address. Their copies at a few,
 * with one CR4 and then with another, all as if nothing had changed. */
static void other_addresses(const struct l2_row *r)
{
	(void)r;
	for (unsigned i = 0; i < ADDRESSES; i++) {
		u64 cr4 = svm_vmcb.save.cr4 ^ (i < ADDRESSES / 2 ? 0 : 8);
		struct vmcb *copy =
			(struct vmcb *)(COPIES + (u64)i * PAGE_SIZE);

		*copy = svm_vmcb;
		copy->save.rip = (u64)get_cr4;
		copy->save.cr4 = cr4;
		copy->control.clean = CLEAN_ALL;
		svm_run_at((u64)copy);
		svm_stgi();
		l2_expect("exit code", copy->control.exit_code,
			  VMCB_EXIT_VMMCALL);
		l2_expect("its CR4", svm_regs.rbx, cr4);
	}
}

/* Runs once, changes the field's bits .set, runs again with clean bits .want.
 * Returns what L2 saw then; .before is what it saw first. */
static u64 run_twice(const struct l2_row *r, u64 *before)
{
	u64 *at = (u64 *)((u64)&svm_vmcb + r->arg);

	*(u64 *)SVM_PAGE_A = 'A';
	*(u64 *)SVM_PAGE_B = 'B';
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	*before = svm_regs.rbx;
	*at ^= r->set;
	svm_vmcb.control.clean = (u32)r->want;
	svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	svm_vmcb.save.rsp = SVM_GUEST_STACK;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	return svm_regs.rbx;
}

/* Bit clear: the change counts. .clear is what it does to RBX. */
static void dirty(const struct l2_row *r)
{
	u64 before, now = run_twice(r, &before);

	l2_expect("value", now, before ^ r->clear);
}

/* Bit set: either value, but no third one. */
static void clean(const struct l2_row *r)
{
	u64 before, now = run_twice(r, &before);

	if (now != before)
		l2_expect("value", now, before ^ r->clear);
}

/* Nested tables whose root is page B: 1 GiB from 0 on, but for page A, which
 * is page B there. */
static void other_ncr3(const struct l2_row *r)
{
	u64 first = 0;

	(void)r;
	memcpy((void *)SVM_PAGE_B, (void *)svm_vmcb.control.ncr3, PAGE_SIZE);
	*(u64 *)SVM_PAGE_A = 'A';
	l2_expect_exit(get_page_a, VMCB_EXIT_VMMCALL);
	first = svm_regs.rbx;
	svm_vmcb.control.ncr3 = SVM_PAGE_B;
	*svm_npte(SVM_PAGE_A) = SVM_PAGE_B | NPTE_ALL;
	svm_vmcb.control.clean = CLEAN_ALL & ~CLEAN_NP;
	l2_expect_exit(get_page_a, VMCB_EXIT_VMMCALL);
	l2_expect("first", first, 'A');
	l2_expect("then", svm_regs.rbx, *(u64 *)SVM_PAGE_B);
}

/* Intercepts that come with the bit clear. */
static void dirty_intercept(const struct l2_row *r)
{
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	svm_vmcb.control.clean = CLEAN_ALL & ~CLEAN_CONTROL;
	l2_expect_exit(r->code, r->arg);
}

#define AT(name) .arg = offsetof(struct vmcb, name)
#define STOP	 .want = VMCB_EXIT_VMMCALL
#define CLEAN(name, insn, bit, ...)                                    \
	L2_ROW("dirty-" name, dirty, insn, .needs = SVM_CLEAN,         \
	       .want = CLEAN_ALL & ~(bit), __VA_ARGS__),               \
		L2_ROW("clean-" name, clean, insn, .needs = SVM_CLEAN, \
		       .want = CLEAN_ALL, __VA_ARGS__),                \
		L2_ROW("unused-clean-" name, dirty, insn, .want = 0,   \
		       __VA_ARGS__)

static const struct l2_row rows[] = {
	L2_ROW("written-intercept-away", written, write_then_stop,
	       AT(control.intercept[4]), STOP),
	L2_ROW("written-intercept-new", written, write_then_cpuid,
	       AT(control.intercept[3]), .set = ~0u, STOP),
	L2_ROW("written-asid-0", written, write_then_stop, AT(control.asid),
	       STOP),
	L2_ROW("written-ncr3", written, write_then_cpuid, AT(control.ncr3),
	       .set = SVM_PAGE_B, STOP),
	L2_ROW("written-event", written, write_then_cpuid,
	       AT(control.event_inj),
	       .set = VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION | VECTOR_UD,
	       STOP),
	L2_ROW("written-msrpm", written, write_then_cpuid, AT(control.msrpm_pa),
	       .set = SVM_PAGE_B, STOP),
	L2_ROW("written-efer", written, write_then_cpuid, AT(save.efer), STOP),
	L2_ROW("written-cr3", written, write_then_cpuid, AT(save.cr3), STOP),
	L2_ROW("written-tsc-offset", written_tsc, write_then_tsc,
	       AT(control.tsc_offset), .set = 0x7f),
	L2_ROW("written-rip", written_save, write_then_move, AT(save.rip),
	       .set = 0x1234),
	L2_ROW("written-rsp", written_save, write_then_move, AT(save.rsp),
	       .set = 0x1234),
	L2_ROW("other-address", other_address, NULL),
	L2_ROW("other-addresses-clean", other_addresses, NULL,
	       .needs = SVM_CLEAN),
	L2_ROW("other-address-clean", other_address, NULL, .set = CLEAN_ALL,
	       .needs = SVM_CLEAN),
	CLEAN("tsc-offset", get_tsc_high, CLEAN_CONTROL, AT(control.tsc_offset),
	      .set = BIT_TSC, .clear = BIT_TSC >> 32),
	CLEAN("cr4", get_cr4, CLEAN_CRX, AT(save.cr4), .set = 8, .clear = 8),
	CLEAN("dr7", get_dr7, CLEAN_DRX, AT(save.dr7), .set = 0x50,
	      .clear = 0x50),
	CLEAN("gdtr", get_gdtr, CLEAN_DT, AT(save.gdtr.base), .set = 0x1230,
	      .clear = 0x1230),
	CLEAN("ds", get_ds, CLEAN_SEG, AT(save.ds), .set = 0x1230,
	      .clear = 0x1230),
	CLEAN("cr2", get_cr2, CLEAN_CR2, AT(save.cr2), .set = 0x1230,
	      .clear = 0x1230),
	L2_ROW("dirty-ncr3", other_ncr3, NULL, .needs = SVM_CLEAN),
	L2_ROW("dirty-intercept", dirty_intercept, get_tsc_high,
	       .arg = VMCB_EXIT_RDTSC, .needs = SVM_CLEAN),
};

const struct l2_table vmrun_copies = L2_TABLE(rows);
