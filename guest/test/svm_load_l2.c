/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMLOAD and VMSAVE executed by L2, which L1 does not intercept: without
 * virtualization of their operand it is a physical address of L1 (AMD APM
 * vol. 2, 15.33.1), with it one of L2. And SKINIT and VMMCALL, refused.
 *
 * Page A of L2 is page B; page B of L2 is page A.
 */
#include "guest/test/svm_load.h"

#include "guest/lib/idt.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define CPUID_EXTENDED 0x80000001
#define ECX_SKINIT     (1u << 12)
#define FILLER	       0xa5
#define KERNEL_GS      4 /* in load_fields */
#define MISALIGNED     0x800
#define FILLER_WORD    0xa5a5a5a5a5a5a5a5ull

SVM_CODE(do_vmsave, "vmsave")
SVM_CODE(do_vmload, "vmload")
SVM_CODE(do_skinit, "skinit")
SVM_CODE(do_vmmcall, "vmmcall")
SVM_CODE(do_vmmcall_hlt, "vmmcall; hlt")
SVM_CODE(do_prefixed, ".byte 0x48; vmmcall")

static void prepare(const struct l2_row *r)
{
	u64 a = *svm_npte(SVM_PAGE_A);

	*svm_npte(SVM_PAGE_A) = *svm_npte(SVM_PAGE_B);
	*svm_npte(SVM_PAGE_B) = a;
	memset((void *)SVM_PAGE_A, FILLER, 2ul * PAGE_SIZE);
	svm_vmcb.control.virt_ext = r->set;
	svm_vmcb.save.rax = SVM_PAGE_A | r->clear;
}

static bool untouched(u64 page)
{
	const u64 *p = (const u64 *)page;

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*p); i++)
		if (p[i] != FILLER_WORD)
			return false;
	return true;
}

/* Page .arg is written, the other is not. */
static void saves(const struct l2_row *r)
{
	const struct load_field *f = &load_fields[KERNEL_GS];
	u64 other = SVM_PAGE_A + SVM_PAGE_B - r->arg;

	load_begin();
	prepare(r);
	wrmsr(f->msr, f->value);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	load_end();
	l2_expect("RIP", svm_vmcb.save.rip, (u64)r->code + 3);
	l2_expect("saved", *(u64 *)(r->arg + f->at), f->value);
	l2_expect("other page as it was", untouched(other), 1);
}

/* All MSRs come from page .arg. */
static void loads(const struct l2_row *r)
{
	u64 value[LOAD_FIELDS];

	load_begin();
	prepare(r);
	memset((void *)SVM_PAGE_A, 0, 2ul * PAGE_SIZE);
	load_fill((struct vmcb *)r->arg);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	for (unsigned i = 0; i < LOAD_FIELDS; i++)
		value[i] = rdmsr(load_fields[i].msr);
	load_end();
	for (unsigned i = 0; i < LOAD_FIELDS; i++)
		l2_expect("MSR", value[i], load_fields[i].value);
}

/* Page A of L2 is absent, or read-only: exit code .want, nothing done. */
static void faults(const struct l2_row *r)
{
	prepare(r);
	*svm_npte(SVM_PAGE_A) &= ~r->arg;
	l2_expect_exit(r->code, r->want);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)r->code);
	l2_expect("address", svm_vmcb.control.exit_info_2 / PAGE_SIZE,
		  SVM_PAGE_A / PAGE_SIZE);
	l2_expect("page A as it was", untouched(SVM_PAGE_A), 1);
	l2_expect("page B as it was", untouched(SVM_PAGE_B), 1);
}

/* Exit code .want at the instruction; nothing is saved. */
static void refuses(const struct l2_row *r)
{
	prepare(r);
	if (r->arg)
		l2_user();
	l2_expect_exit(r->code, r->want);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)r->code);
	l2_expect("page A as it was", untouched(SVM_PAGE_A), 1);
	l2_expect("page B as it was", untouched(SVM_PAGE_B), 1);
}

/* L1 wants the exit, whatever the operand's virtualization says. */
static void exits(const struct l2_row *r)
{
	prepare(r);
	vmcb_intercept(&svm_vmcb, (u32)r->want);
	refuses(r);
}

static bool has_skinit(void)
{
	return cpuid(CPUID_EXTENDED, 0).ecx & ECX_SKINIT;
}

static void skinit(void *pa)
{
	__asm__ volatile("skinit" : "+a"(pa) : : "memory");
}

static void skinit_l1(const struct l2_row *r)
{
	(void)r;
	if (has_skinit())
		l2_skip("this CPU would do it");
	else
		l2_expect("exception", (u64)trap_try(skinit, NULL), VECTOR_UD);
}

static void skinit_l2(const struct l2_row *r)
{
	if (has_skinit())
		l2_skip("this CPU would do it");
	else
		refuses(r);
}

/* VMMCALL that nobody intercepts. */
static void vmmcall_free(const struct l2_row *r)
{
	vmcb_pass(&svm_vmcb, VMCB_EXIT_VMMCALL);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_HLT);
	l2_expect_exit(r->code, VMCB_EXIT_EXCEPTION + VECTOR_UD);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)r->code);
}

/* At CPL .arg. */
static void vmmcall_exits(const struct l2_row *r)
{
	if (r->arg)
		l2_user();
	svm_vmcb.save.rax = r->set;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)r->code);
	l2_expect("RAX", svm_vmcb.save.rax, r->set);
	if (svm_features() & SVM_NRIPS)
		l2_expect("next RIP", svm_vmcb.control.next_rip,
			  (u64)r->code + r->want);
}

#define VLS	.set = VMCB_VLS, .needs = SVM_VLS
#define EXIT_GP (VMCB_EXIT_EXCEPTION + VECTOR_GP)
#define GP	.want = EXIT_GP

static const struct l2_row rows[] = {
	L2_ROW("l2-vmsave-plain", saves, do_vmsave, .arg = SVM_PAGE_A),
	L2_ROW("l2-vmload-plain", loads, do_vmload, .arg = SVM_PAGE_A),
	L2_ROW("l2-vmsave-virtual", saves, do_vmsave, .arg = SVM_PAGE_B, VLS),
	L2_ROW("l2-vmload-virtual", loads, do_vmload, .arg = SVM_PAGE_B, VLS),
	L2_ROW("l2-vmsave-virtual-absent", faults, do_vmsave,
	       .arg = PTE_PRESENT, .want = VMCB_EXIT_NPF, VLS),
	L2_ROW("l2-vmload-virtual-absent", faults, do_vmload,
	       .arg = PTE_PRESENT, .want = VMCB_EXIT_NPF, VLS),
	L2_ROW("l2-vmsave-virtual-read-only", faults, do_vmsave,
	       .arg = PTE_WRITE, .want = VMCB_EXIT_NPF, VLS),
	L2_ROW("l2-vmsave-virtual-exits", exits, do_vmsave,
	       .want = VMCB_EXIT_VMSAVE, VLS),
	L2_ROW("l2-vmload-virtual-exits", exits, do_vmload,
	       .want = VMCB_EXIT_VMLOAD, VLS),
	L2_ROW("l2-vmsave-virtual-misaligned", refuses, do_vmsave,
	       .clear = MISALIGNED, GP, VLS),
	L2_ROW("l2-vmload-virtual-misaligned", refuses, do_vmload,
	       .clear = MISALIGNED, GP, VLS),
	L2_ROW("l2-vmsave-virtual-cpl3", refuses, do_vmsave, .arg = 3, GP, VLS),
	L2_ROW("l2-vmsave-misaligned", refuses, do_vmsave, .clear = MISALIGNED,
	       GP),
	L2_ROW("l2-vmload-misaligned", refuses, do_vmload, .clear = MISALIGNED,
	       GP),
	L2_ROW("l2-vmsave-cpl3", refuses, do_vmsave, .arg = 3, GP),
	L2_ROW("l2-vmload-cpl3", refuses, do_vmload, .arg = 3, GP),
	L2_ROW("l1-skinit", skinit_l1, NULL),
	L2_ROW("l2-skinit", skinit_l2, do_skinit,
	       .want = VMCB_EXIT_EXCEPTION + VECTOR_UD),
	L2_ROW("vmmcall-free", vmmcall_free, do_vmmcall_hlt),
	L2_ROW("vmmcall-exits", vmmcall_exits, do_vmmcall, .want = 3,
	       .set = 0x123456789),
	L2_ROW("vmmcall-prefixed", vmmcall_exits, do_prefixed, .want = 4,
	       .set = 0x123456789),
	L2_ROW("vmmcall-cpl3", vmmcall_exits, do_vmmcall, .want = 3, .arg = 3,
	       .set = 0x123456789),
};

const struct l2_table load_l2 = L2_TABLE(rows);
