/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intercepts of exceptions, word 2 of the VMCB (AMD APM vol. 2, 15.12), and
 * what comes first: most intercepts of instructions count only after the
 * exceptions of CPL 3 (15.7).
 */
#include "guest/test/svm_intercept.h"

#include "lib/cpu.h"

#define CR0_NE	    0x20ull
#define CR0_TS	    0x8ull
#define VECTOR_DE   0
#define VECTOR_NM   7
#define VECTOR_SS   12
#define VECTOR_MF   16
#define FAR_ADDRESS 0x140000008ull /* not mapped in L2's page tables */

SVM_CODE(do_de, "div %rcx")
SVM_CODE(do_bp, "int3")
SVM_CODE(do_ud, "ud2")
SVM_CODE(do_nm, "fnop")
SVM_CODE(do_ss, "push %rax")
SVM_CODE(do_gp, "mov (%rsi), %rax")
SVM_CODE(do_gp_selector, "mov %ebx, %ds")
SVM_CODE(do_pf_read, "mov (%rdi), %rax")
SVM_CODE(do_pf_write, "mov %rax, (%rdi)")
SVM_CODE(do_mf, "fninit; fldcw (%rbx); fldz; fld1; fdivp; 1: fwait")
SVM_CODE(do_int_gp, "int $13")

SVM_CODE(do_hlt, "hlt")
SVM_CODE(do_invd, "invd")
SVM_CODE(do_wbinvd, "wbinvd")
SVM_CODE(do_invlpg, "invlpg (%rbx)")
SVM_CODE(do_invlpga, "invlpga")
SVM_CODE(do_vmload, "vmload")
SVM_CODE(do_vmsave, "vmsave")
SVM_CODE(do_stgi, "stgi")
SVM_CODE(do_clgi, "clgi")
SVM_CODE(do_lgdt, "lgdt (%rbx)")
SVM_CODE(do_lidt, "lidt (%rbx)")
SVM_CODE(do_lldt, "lldt %ax")
SVM_CODE(do_ltr, "ltr %ax")
SVM_CODE(do_clts, "clts")
SVM_CODE(do_lmsw, "lmsw %ax")
SVM_CODE(do_read_cr0, "mov %cr0, %rdx")
SVM_CODE(do_write_cr3, "mov %rdx, %cr3")
SVM_CODE(do_read_dr7, "mov %dr7, %rdx")
SVM_CODE(do_rdmsr, "rdmsr")
SVM_CODE(do_wrmsr, "wrmsr")
SVM_CODE(do_in, "in $0x80, %al")
SVM_CODE(do_rdpmc, "rdpmc")
SVM_CODE(do_monitor, "monitor")
SVM_CODE(do_cpuid, "cpuid")
SVM_CODE(do_rdtsc, "rdtsc")
SVM_CODE(do_pause, "pause")
SVM_CODE(do_int, "int $0x41")
SVM_CODE(do_sgdt, "sgdt (%rbx)")
SVM_CODE(do_vmmcall, "vmmcall")
SVM_CODE(do_rsm, "rsm")

/* RAX, RCX, RDX = 0; RSI, RSP are no addresses; .set in CR0 */
static void prepare(const struct l2_row *r)
{
	svm_regs = (struct svm_regs){
		.rbx = SVM_PAGE_B, .rsi = 1ull << 60, .rdi = FAR_ADDRESS};
	if (r->code == do_ss)
		svm_vmcb.save.rsp = 1ull << 60;
	if (r->code == do_gp_selector)
		svm_regs.rbx = 0x7ff8;
	svm_vmcb.save.cr0 |= r->set;
}

/* An exit with error code .want. */
static void exits(const struct l2_row *r)
{
	prepare(r);
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 1u << r->arg;
	expect_stopped(r->code, VMCB_EXIT_EXCEPTION + r->arg);
	l2_expect("EXITINFO1", svm_vmcb.control.exit_info_1, r->want);
	l2_expect("next RIP", svm_vmcb.control.next_rip, 0);
}

/* #PF: its address is in EXITINFO2, not in CR2. */
static void exits_pf(const struct l2_row *r)
{
	svm_vmcb.save.cr2 = 0x4321;
	exits(r);
	l2_expect("EXITINFO2", svm_vmcb.control.exit_info_2, FAR_ADDRESS);
	l2_expect("CR2", svm_vmcb.save.cr2, 0x4321);
}

/* INT3 is a trap, but RIP stays at it. Of all exceptions only INT3, INTO and
 * BOUND have a next RIP. */
static void exits_trap(const struct l2_row *r)
{
	prepare(r);
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 1u << r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_EXCEPTION + r->arg);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)r->code);
	if (svm_features() & SVM_NRIPS)
		l2_expect("next RIP", svm_vmcb.control.next_rip,
			  (u64)r->code + 1);
}

static void exits_mf(const struct l2_row *r)
{
	prepare(r);
	*(u16 *)SVM_PAGE_B = 0x37b; /* all masked but division by zero */
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 1u << r->arg;
	l2_expect_exit(r->code, VMCB_EXIT_EXCEPTION + r->arg);
	__asm__ volatile("fninit");
}

/* All other exceptions are intercepted: L2's own handler gets it. */
static void passes(const struct l2_row *r)
{
	prepare(r);
	if (r->code == do_ss) /* its handler needs a stack */
		svm_vmcb.save.rsp = SVM_GUEST_STACK;
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = ~(1u << r->arg);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)svm_handler);
	if (r->arg == VECTOR_PF)
		l2_expect("CR2", svm_vmcb.save.cr2, FAR_ADDRESS);
	if (r->want)
		l2_expect("error code", *(u64 *)svm_vmcb.save.rsp,
			  r->want & 0xffff);
}

/* INT n with the number of an exception is none. */
static void soft(const struct l2_row *r)
{
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)svm_handler);
}

/* At CPL 3, everything intercepted: exit code .want. */
static void user(const struct l2_row *r)
{
	prepare(r);
	intercept_all();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_IOIO);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_MSR);
	l2_user();
	expect_stopped(r->code, r->want);
}

#define EXITS(name, run, code, vector, error, ...)                     \
	L2_ROW("exits-" name, run, code, .arg = vector, .want = error, \
	       __VA_ARGS__)
#define PASSES(name, code, vector, ...) \
	L2_ROW("passes-" name, passes, code, .arg = vector, __VA_ARGS__)
#define BOTH(name, code, vector, ...)                     \
	EXITS(name, exits, code, vector, 0, __VA_ARGS__), \
		PASSES(name, code, vector, __VA_ARGS__)
#define PF_ROW(name, code, error)                            \
	EXITS("pf-" name, exits_pf, code, VECTOR_PF, error), \
		PASSES("pf-" name, code, VECTOR_PF, .want = 0x10000 | (error))

static const struct l2_row exceptions[] = {
	BOTH("de", do_de, VECTOR_DE, .clear = 0),
	BOTH("ud", do_ud, VECTOR_UD, .clear = 0),
	BOTH("nm", do_nm, VECTOR_NM, .set = CR0_TS),
	EXITS("ss", exits, do_ss, VECTOR_SS, 0),
	BOTH("gp", do_gp, VECTOR_GP, .clear = 0),
	EXITS("gp-selector", exits, do_gp_selector, VECTOR_GP, 0x7ff8),
	PASSES("gp-selector", do_gp_selector, VECTOR_GP, .want = 0x17ff8),
	PF_ROW("read", do_pf_read, 0),
	PF_ROW("write", do_pf_write, 2),
	EXITS("bp", exits_trap, do_bp, VECTOR_BP, 0),
	PASSES("bp", do_bp, VECTOR_BP),
	EXITS("mf", exits_mf, do_mf, VECTOR_MF, 0, .set = CR0_NE),
	L2_ROW("int-13-is-no-gp", soft, do_int_gp),
};

const struct l2_table intercept_exceptions = L2_TABLE(exceptions);

#define GP(name, insn)                                  \
	L2_ROW("cpl3-gp-before-" name, user, do_##insn, \
	       .want = VMCB_EXIT_EXCEPTION + VECTOR_GP)
#define EXIT3(name, insn, code) \
	L2_ROW("cpl3-exits-" name, user, do_##insn, .want = VMCB_EXIT_##code)

static const struct l2_row users[] = {
	GP("hlt", hlt),
	GP("invd", invd),
	GP("wbinvd", wbinvd),
	GP("invlpg", invlpg),
	GP("invlpga", invlpga),
	GP("vmload", vmload),
	GP("vmsave", vmsave),
	GP("stgi", stgi),
	GP("clgi", clgi),
	GP("lgdt", lgdt),
	GP("lidt", lidt),
	GP("lldt", lldt),
	GP("ltr", ltr),
	GP("clts", clts),
	GP("lmsw", lmsw),
	GP("read-cr0", read_cr0),
	GP("write-cr3", write_cr3),
	GP("read-dr7", read_dr7),
	GP("rdmsr", rdmsr),
	GP("wrmsr", wrmsr),
	GP("in", in),
	GP("rdpmc", rdpmc),
	L2_ROW("cpl3-ud-before-monitor", user, do_monitor,
	       .want = VMCB_EXIT_EXCEPTION + VECTOR_UD),
	EXIT3("cpuid", cpuid, CPUID),
	EXIT3("rdtsc", rdtsc, RDTSC),
	EXIT3("pause", pause, PAUSE),
	EXIT3("int", int, SWINT),
	EXIT3("sgdt", sgdt, GDTR_READ),
	EXIT3("vmmcall", vmmcall, VMMCALL),
	EXIT3("rsm", rsm, RSM),
};

const struct l2_table intercept_user = L2_TABLE(users);
