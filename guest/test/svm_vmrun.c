/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMRUN: which VMCBs it refuses (AMD APM vol. 2, 15.5.1; nested paging
 * 15.25.3, events 15.20), that it takes all others, and its operand (vol. 3).
 * svm_vmrun_state.c has what it loads, saves and restores, svm_vmrun_copies.c
 * when it reads the VMCB.
 */
#include "guest/test/svm_vmrun.h"

#include "guest/lib/idt.h"
#include "lib/cpu.h"

#define BIT(n)		 (1ull << (n))
#define EXC_VALID	 (VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION)
#define MISALIGNED	 0x800
#define IOPM_SIZE	 0x3000
#define MSRPM_SIZE	 0x2000
#define RAN		 0x7261ull /* what L2 leaves in RBX */
#define CPUID_SVM_DETAIL 0x8000000a
#define ACCEPTED	 ~0ull

int main(const char *cmdline);

SVM_CODE(do_mark, "mov $0x7261, %ebx")
SVM_CODE(do_vmrun_user, "vmrun")

/* The VMCB as it is has to be refused: at once, with nothing changed. */
static void expect_refused(void)
{
	const struct l1_state before = l1_state();

	l2_expect("exit code", (u32)l2_run(do_mark), (u32)VMCB_EXIT_INVALID);
	l2_expect("L2 ran", svm_regs.rbx, 0);
	l1_expect_same(&before);
}

static void expect_accepted(void)
{
	l2_expect_exit(do_mark, VMCB_EXIT_VMMCALL);
	l2_expect("L2 ran", svm_regs.rbx, RAN);
}

static void change(const struct l2_row *r)
{
	u64 *field = (u64 *)((u64)&svm_vmcb + r->arg);

	*field = (*field | r->set) & ~r->clear;
}

static void refused(const struct l2_row *r)
{
	change(r);
	expect_refused();
}

static void accepted(const struct l2_row *r)
{
	change(r);
	expect_accepted();
}

/* The field at .arg becomes the end of physical memory less .set; .want says
 * what has to come of it. */
static void address(const struct l2_row *r)
{
	u64 *field = (u64 *)((u64)&svm_vmcb + r->arg);

	*field = (*field & r->clear) | (l2_physical_end() - r->set);
	if (r->want == ACCEPTED)
		expect_accepted();
	else
		expect_refused();
}

static void last_asid(const struct l2_row *r)
{
	(void)r;
	svm_vmcb.control.asid = cpuid(CPUID_SVM_DETAIL, 0).ebx - 1;
	expect_accepted();
}

/* A VMCB that every CPU refuses. */
static void make_bad(void)
{
	svm_vmcb.save.efer &= ~(u64)EFER_SVME;
	svm_vmcb.save.rip = (u64)do_mark;
}

static void refused_code(const struct l2_row *r)
{
	(void)r;
	make_bad();
	l2_expect_exit(do_mark, VMCB_EXIT_INVALID);
}

/* The quadword at .arg. */
static void refused_keeps(const struct l2_row *r)
{
	const u64 *field = (u64 *)((u64)&svm_vmcb + r->arg);
	u64 before;

	make_bad();
	svm_vmcb.save.rsp = r->set;
	svm_vmcb.save.rax = r->set;
	svm_vmcb.save.cr2 = r->set;
	before = *field;
	l2_run(do_mark);
	l2_expect("field", *field, before);
}

/* A good one, behind one that was refused. */
static void refused_then_good(const struct l2_row *r)
{
	(void)r;
	make_bad();
	l2_run(do_mark);
	svm_reset();
	expect_accepted();
}

static void expect_trap(int trap, u64 vector)
{
	svm_stgi();
	l2_expect("exception", (u64)trap, vector);
	l2_expect("L2 ran", svm_regs.rbx, 0);
}

static void operand(const struct l2_row *r)
{
	const struct l1_state before = l1_state();
	u64 end = r->clear ? l2_physical_end() : 0;

	svm_vmcb.save.rip = (u64)do_mark;
	expect_trap(svm_run_at(end | (u64)&svm_vmcb | r->set), VECTOR_GP);
	l1_expect_same(&before);
}

static void without_svme(const struct l2_row *r)
{
	int trap;

	(void)r;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SVME);
	svm_vmcb.save.rip = (u64)do_mark;
	trap = svm_run_raw();
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	expect_trap(trap, VECTOR_UD);
}

static void at_cpl_3(const struct l2_row *r)
{
	l2_user();
	svm_vmcb.save.rax = SVM_PAGE_A;
	l2_expect_exit(r->code, VMCB_EXIT_EXCEPTION + VECTOR_GP);
}

static void vmrun_short(void *pa)
{
	__asm__ volatile("push %%rbp; addr32 vmrun; pop %%rbp"
			 : "+a"(pa), "+b"(svm_regs.rbx)
			 :
			 : "memory", "cc", "rcx", "rdx", "rsi", "rdi");
}

/* 32 bits of address take EAX only. */
static void operand_short(const struct l2_row *r)
{
	int trap;

	svm_vmcb.save.rip = (u64)do_mark;
	trap = trap_try(vmrun_short, (void *)((u64)&svm_vmcb | r->set));
	svm_stgi();
	l2_expect("exception", (u64)trap, (u64)NO_TRAP);
	l2_expect("L2 ran", svm_regs.rbx, RAN);
}

#define FIELD(name)	   .arg = offsetof(struct vmcb, name)
#define REFUSED(name, ...) L2_ROW("refused-" name, refused, NULL, __VA_ARGS__)
#define LEGAL(name, ...)   L2_ROW("legal-" name, accepted, NULL, __VA_ARGS__)
#define KEEPS(name, ...)                                                  \
	L2_ROW("refused-keeps-" name, refused_keeps, NULL, .set = 0x1230, \
	       __VA_ARGS__)
#define ADDRESS(name, ...) L2_ROW(name, address, NULL, __VA_ARGS__)

/* The bits of .set after those of .clear. */
static void pat(const struct l2_row *r)
{
	svm_vmcb.save.g_pat = (svm_vmcb.save.g_pat & ~r->clear) | r->set;
	if (r->want == ACCEPTED)
		expect_accepted();
	else
		expect_refused();
}

#define PAT(name, n, type, ...)                              \
	L2_ROW(name, pat, NULL, .clear = 0xffull << 8 * (n), \
	       .set = (type##ull) << 8 * (n), __VA_ARGS__)

static const struct l2_row rows[] = {
	LEGAL("plain", FIELD(save.rip)),
	REFUSED("efer-svme-0", FIELD(save.efer), .clear = EFER_SVME),
	REFUSED("efer-bit1", FIELD(save.efer), .set = BIT(1)),
	REFUSED("efer-bit7", FIELD(save.efer), .set = BIT(7)),
	REFUSED("efer-bit9", FIELD(save.efer), .set = BIT(9)),
	REFUSED("efer-bit16", FIELD(save.efer), .set = BIT(16)),
	REFUSED("efer-bit22", FIELD(save.efer), .set = BIT(22)),
	REFUSED("efer-bit32", FIELD(save.efer), .set = BIT(32)),
	REFUSED("efer-bit63", FIELD(save.efer), .set = BIT(63)),
	REFUSED("cr0-nw-without-cd", FIELD(save.cr0), .set = CR0_NW),
	REFUSED("cr0-bit32", FIELD(save.cr0), .set = BIT(32)),
	REFUSED("cr0-bit63", FIELD(save.cr0), .set = BIT(63)),
	REFUSED("cr3-bit52", FIELD(save.cr3), .set = BIT(52)),
	REFUSED("cr3-bit62", FIELD(save.cr3), .set = BIT(62)),
	ADDRESS("refused-cr3-end", FIELD(save.cr3), .clear = ~0ull),
	REFUSED("cr4-bit13", FIELD(save.cr4), .set = BIT(13)),
	REFUSED("cr4-bit14", FIELD(save.cr4), .set = BIT(14)),
	REFUSED("cr4-bit19", FIELD(save.cr4), .set = BIT(19)),
	REFUSED("cr4-bit30", FIELD(save.cr4), .set = BIT(30)),
	REFUSED("cr4-bit32", FIELD(save.cr4), .set = BIT(32)),
	REFUSED("cr4-bit63", FIELD(save.cr4), .set = BIT(63)),
	REFUSED("dr6-bit32", FIELD(save.dr6), .set = BIT(32)),
	REFUSED("dr6-bit63", FIELD(save.dr6), .set = BIT(63)),
	REFUSED("dr7-bit32", FIELD(save.dr7), .set = BIT(32)),
	REFUSED("dr7-bit63", FIELD(save.dr7), .set = BIT(63)),
	REFUSED("long-without-pae", FIELD(save.cr4), .clear = CR4_PAE),
	REFUSED("long-without-pe", FIELD(save.cr0), .clear = CR0_PE),
	REFUSED("cs-l-and-d", FIELD(save.cs.attributes),
		.set = (u64)VMCB_SEGMENT_BIG),
	REFUSED("no-vmrun-intercept", FIELD(control.intercept[4]),
		.clear = BIT(0)),
	REFUSED("asid-0", FIELD(control.asid), .clear = ~0u),
	REFUSED("asid-0-beside-flush", FIELD(control.asid), .clear = ~0u,
		.set = BIT(32)),
	ADDRESS("refused-iopm-end", FIELD(control.iopm_pa)),
	ADDRESS("refused-iopm-page-3-out", FIELD(control.iopm_pa),
		.set = IOPM_SIZE - PAGE_SIZE),
	ADDRESS("legal-iopm-last", FIELD(control.iopm_pa), .set = IOPM_SIZE,
		.want = ACCEPTED),
	ADDRESS("refused-msrpm-end", FIELD(control.msrpm_pa)),
	ADDRESS("refused-msrpm-page-2-out", FIELD(control.msrpm_pa),
		.set = MSRPM_SIZE - PAGE_SIZE),
	ADDRESS("legal-msrpm-last", FIELD(control.msrpm_pa), .set = MSRPM_SIZE,
		.want = ACCEPTED),
	REFUSED("ncr3-bit52", FIELD(control.ncr3), .set = BIT(52)),
	ADDRESS("refused-ncr3-end", FIELD(control.ncr3), .clear = ~0ull),
	PAT("refused-pat-0-type2", 0, 2),
	PAT("refused-pat-3-type3", 3, 3),
	PAT("refused-pat-7-type8", 7, 8),
	PAT("refused-pat-5-type128", 5, 128),
	PAT("legal-pat-0-uc", 0, 0, .want = ACCEPTED),
	PAT("legal-pat-7-wc", 7, 1, .want = ACCEPTED),
	PAT("legal-pat-4-wt", 4, 4, .want = ACCEPTED),
	PAT("legal-pat-5-wp", 5, 5, .want = ACCEPTED),
	PAT("legal-pat-6-uc-minus", 6, 7, .want = ACCEPTED),
	REFUSED("event-type1", FIELD(control.event_inj),
		.set = VMCB_EVENT_VALID | 0x100 | VECTOR_GP),
	REFUSED("event-type7", FIELD(control.event_inj),
		.set = VMCB_EVENT_VALID | 0x700 | VECTOR_GP),
	REFUSED("event-exception-2", FIELD(control.event_inj),
		.set = EXC_VALID | VECTOR_NMI),
	REFUSED("event-exception-32", FIELD(control.event_inj),
		.set = EXC_VALID | 32),
	LEGAL("event-invalid-any", FIELD(control.event_inj),
	      .set = ~VMCB_EVENT_VALID),
	LEGAL("cr0-cd", FIELD(save.cr0), .set = CR0_CD),
	LEGAL("cr0-cd-and-nw", FIELD(save.cr0), .set = CR0_CD | CR0_NW),
	LEGAL("cr0-all-flags", FIELD(save.cr0), .set = 0x5002e),
	LEGAL("cr0-wp-0", FIELD(save.cr0), .clear = CR0_WP),
	LEGAL("cr4-low", FIELD(save.cr4), .set = 0x7df),
	LEGAL("efer-all", FIELD(save.efer), .set = 0x1d01),
	LEGAL("dr6-low", FIELD(save.dr6), .set = 0xffffffff),
	LEGAL("dr6-0", FIELD(save.dr6), .clear = ~0ull),
	LEGAL("dr7-0", FIELD(save.dr7), .clear = ~0ull),
	LEGAL("cs-base-ignored", FIELD(save.cs.base), .set = 0x12345000),
	LEGAL("iopm-low-bits", FIELD(control.iopm_pa), .set = 0xfff),
	LEGAL("msrpm-low-bits", FIELD(control.msrpm_pa), .set = 0xfff),
	L2_ROW("legal-asid-last", last_asid, NULL),
	L2_ROW("refused-code-64-bits", refused_code, NULL),
	KEEPS("rip", FIELD(save.rip)),
	KEEPS("rsp", FIELD(save.rsp)),
	KEEPS("rax", FIELD(save.rax)),
	KEEPS("cr2", FIELD(save.cr2)),
	KEEPS("cr3", FIELD(save.cr3)),
	KEEPS("efer", FIELD(save.efer)),
	KEEPS("idtr", FIELD(save.idtr.base)),
	L2_ROW("refused-then-good", refused_then_good, NULL),
	L2_ROW("operand-misaligned", operand, NULL, .set = MISALIGNED),
	L2_ROW("operand-odd", operand, NULL, .set = 1),
	L2_ROW("operand-physical-end", operand, NULL, .clear = 1),
	L2_ROW("operand-bit52", operand, NULL, .set = BIT(52)),
	L2_ROW("operand-bit63", operand, NULL, .set = BIT(63)),
	L2_ROW("operand-32-bit", operand_short, NULL, .set = BIT(40)),
	L2_ROW("ud-without-svme", without_svme, NULL),
	L2_ROW("gp-at-cpl-3", at_cpl_3, do_vmrun_user),
};

const struct l2_table vmrun_checks = L2_TABLE(rows);

int main(const char *cmdline)
{
	const struct l2_table tables[] = {vmrun_checks, vmrun_state,
					  vmrun_copies};

	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
