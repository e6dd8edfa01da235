/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intercepts of instructions, words 3 and 4 of the VMCB (AMD APM vol. 2,
 * 15.9; next RIP 15.7.1, decode assists 15.8.4, 15.10.4). Three rows for each:
 * it exits before anything has happened, it runs while all others are
 * intercepted, and where the next instruction is. The other tables: registers
 * and exceptions, and what comes first at CPL 3.
 */
#include "guest/test/svm_intercept.h"

#include "lib/cpu.h"
#include "lib/string.h"

#define FRAME	       (SVM_GUEST_STACK - 40) /* what IRET takes */
#define FIRST_INSN     VMCB_EXIT_CR0_SELECTED
#define LAST_INSN      VMCB_EXIT_XSETBV
#define SEL_TSS	       0x20
#define TSS_LOW	       0x0000890000000067ull
#define GDT_COPY       SVM_PAGE_A
#define CPUID_FEATURES 1
#define ECX_MONITOR    (1u << 3)
#define ECX_XSAVE      (1u << 26)
#define SOFT_VECTOR    0x41

int main(const char *cmdline);

/* The instruction comes first; RBX, RSI, RDI = page B. */
SVM_CODE(do_sidt, "sidt (%rbx)")
SVM_CODE(do_sgdt, "sgdt (%rbx)")
SVM_CODE(do_sldt, "sldt %eax")
SVM_CODE(do_str, "str %eax")
SVM_CODE(do_lidt, "lidt (%rbx)")
SVM_CODE(do_lgdt, "lgdt (%rbx)")
SVM_CODE(do_lldt, "lldt %ax")
SVM_CODE(do_ltr, "ltr %ax")
SVM_CODE(do_rdtsc, "rdtsc")
SVM_CODE(do_rdpmc, "rdpmc")
SVM_CODE(do_pushf, "pushf")
SVM_CODE(do_popf, "popf")
SVM_CODE(do_cpuid, "cpuid")
SVM_CODE(do_rsm, "rsm")
SVM_CODE(do_iret, "iretq")
SVM_CODE(do_int, "int $0x41")
SVM_CODE(do_invd, "invd")
SVM_CODE(do_pause, "pause")
SVM_CODE(do_hlt, "hlt")
SVM_CODE(do_invlpg, "invlpg (%rbx)")
SVM_CODE(do_invlpga, "invlpga")
SVM_CODE(do_vmrun, "vmrun")
SVM_CODE(do_vmmcall, "vmmcall")
SVM_CODE(do_vmload, "vmload")
SVM_CODE(do_vmsave, "vmsave")
SVM_CODE(do_stgi, "stgi")
SVM_CODE(do_clgi, "clgi")
SVM_CODE(do_skinit, "skinit")
SVM_CODE(do_rdtscp, "rdtscp")
SVM_CODE(do_icebp, ".byte 0xf1")
SVM_CODE(do_wbinvd, "wbinvd")
SVM_CODE(do_monitor, "monitor")
SVM_CODE(do_mwait, "mwait")
SVM_CODE(do_xsetbv, "xsetbv")
SVM_CODE(do_prefixed, ".byte 0x48; cpuid")
SVM_CODE(do_rep_pause, "rep; rep; nop")
SVM_CODE(do_touch_a, "mov (%rsi), %eax")

void expect_stopped(svm_code *code, u64 want)
{
	const struct vmcb_save *s = &svm_vmcb.save;
	const struct svm_regs regs = svm_regs;
	u64 rax = s->rax, rsp = s->rsp, rflags = s->rflags;

	l2_expect_exit(code, want);
	l2_expect("RIP", s->rip, (u64)code);
	l2_expect("RAX", s->rax, rax);
	l2_expect("RSP", s->rsp, rsp);
	l2_expect("RFLAGS", s->rflags & ~(u64)RFLAGS_RF, rflags);
	l2_expect("RBX", svm_regs.rbx, regs.rbx);
	l2_expect("RCX", svm_regs.rcx, regs.rcx);
	l2_expect("RDX", svm_regs.rdx, regs.rdx);
	l2_expect("RSI", svm_regs.rsi, regs.rsi);
	l2_expect("RDI", svm_regs.rdi, regs.rdi);
	l2_expect("EXITINTINFO valid",
		  svm_vmcb.control.exit_int_info & VMCB_EVENT_VALID, 0);
}

void intercept_all(void)
{
	u32 *words = svm_vmcb.control.intercept;

	words[VMCB_EXIT_CR_READ / 32] = ~0u;
	words[VMCB_EXIT_DR_READ / 32] = ~0u;
	for (u32 code = FIRST_INSN; code <= LAST_INSN; code++)
		if (code != VMCB_EXIT_FERR_FREEZE &&
		    code != VMCB_EXIT_MWAIT_ARMED)
			vmcb_intercept(&svm_vmcb, code);
}

/* A GDT with a TSS in it, for LTR. */
static void make_gdt(void)
{
	u64 *gdt = (u64 *)GDT_COPY;

	memcpy(gdt, (void *)svm_vmcb.save.gdtr.base, SEL_TSS);
	gdt[SEL_TSS / 8] = TSS_LOW;
	gdt[SEL_TSS / 8 + 1] = 0;
	svm_vmcb.save.gdtr.base = GDT_COPY;
	svm_vmcb.save.gdtr.limit = SEL_TSS + 15;
}

/* On the stack: what POPF takes, or a frame for IRET. */
static void make_stack(u64 code)
{
	const u64 frame[] = {(u64)svm_handler, SEL_CODE64, RFLAGS_FIXED,
			     SVM_GUEST_STACK, SEL_DATA};

	memcpy((void *)FRAME, frame, sizeof(frame));
	if (code == VMCB_EXIT_POPF)
		*(u64 *)FRAME = RFLAGS_FIXED;
	svm_vmcb.save.rsp = FRAME;
}

/* RAX = .set, RCX = .clear */
static bool prepare(const struct l2_row *r)
{
	u32 has = cpuid(CPUID_FEATURES, 0).ecx;

	svm_regs = (struct svm_regs){SVM_PAGE_B, r->clear, 0, SVM_PAGE_B,
				     SVM_PAGE_B};
	memset((void *)SVM_PAGE_B, 0, PAGE_SIZE);
	svm_vmcb.save.rax = r->set;
	make_stack(r->arg);
	make_gdt();
	if (r->arg == VMCB_EXIT_MONITOR || r->arg == VMCB_EXIT_MWAIT)
		return has & ECX_MONITOR;
	if (r->arg != VMCB_EXIT_XSETBV)
		return true;
	svm_vmcb.save.cr4 |= CR4_OSXSAVE;
	return has & ECX_XSAVE;
}

static void exits(const struct l2_row *r)
{
	if (!prepare(r)) {
		l2_skip("no such instruction");
		return;
	}
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	expect_stopped(r->code, r->arg);
}

/* All others are intercepted. */
static void let_pass(const struct l2_row *r)
{
	intercept_all();
	vmcb_pass(&svm_vmcb, (u32)r->arg);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VMRUN);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VMMCALL);
}

/* .want is its length: VMMCALL comes next. */
static void passes(const struct l2_row *r)
{
	if (!prepare(r)) {
		l2_skip("no such instruction");
		return;
	}
	let_pass(r);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)r->code + r->want);
}

/* Control goes to the handler, or away with the exit code .want. */
static void jumps(const struct l2_row *r)
{
	prepare(r);
	svm_gate(SOFT_VECTOR, svm_handler);
	let_pass(r);
	vmcb_pass(&svm_vmcb, VMCB_EXIT_EXCEPTION + VECTOR_DB);
	l2_expect_exit(r->code, r->want);
	if (r->want == VMCB_EXIT_VMMCALL)
		l2_expect("RIP", svm_vmcb.save.rip, (u64)svm_handler);
}

static void next_rip(const struct l2_row *r)
{
	if (!prepare(r)) {
		l2_skip("no such instruction");
		return;
	}
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	l2_expect_exit(r->code, r->arg);
	l2_expect("next RIP", svm_vmcb.control.next_rip,
		  (u64)r->code + r->want);
}

/* The instruction is another one now, where it was. */
static void next_rip_rewritten(const struct l2_row *r)
{
	static const u8 cpuid2[] = {0x0f, 0xa2, 0x90}, /* CPUID; NOP */
		cpuid3[] = {0x48, 0x0f, 0xa2};	       /* REX.W CPUID */
	svm_code *code = (svm_code *)SVM_PAGE_A;

	(void)r;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	memcpy((void *)SVM_PAGE_A, cpuid2, sizeof(cpuid2));
	for (unsigned turn = 0; turn < 3; turn++)
		l2_expect_exit(code, VMCB_EXIT_CPUID);
	l2_expect("next RIP", svm_vmcb.control.next_rip, SVM_PAGE_A + 2);
	memcpy((void *)SVM_PAGE_A, cpuid3, sizeof(cpuid3));
	l2_expect_exit(code, VMCB_EXIT_CPUID);
	l2_expect("then", svm_vmcb.control.next_rip, SVM_PAGE_A + 3);
}

/* EXITINFO1 is .want. */
static void info(const struct l2_row *r)
{
	prepare(r);
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	l2_expect_exit(r->code, r->arg);
	l2_expect("EXITINFO1", svm_vmcb.control.exit_info_1, r->want);
}

/* The bytes of an instruction whose nested page fault is the exit. */
static void bytes(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	prepare(r);
	*svm_npte(SVM_PAGE_B) = 0;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	l2_expect("bytes fetched", c->insn_len, r->want);
	for (unsigned i = 0; i < c->insn_len && i < r->want; i++)
		l2_expect("byte", c->insn_bytes[i], ((u8 *)(u64)r->code)[i]);
	l2_expect("next RIP", c->next_rip, 0);
}

#define EXITS(name, which, insn, len, ...)                           \
	L2_ROW("exits-" name, exits, insn, .arg = VMCB_EXIT_##which, \
	       __VA_ARGS__),                                         \
		L2_ROW("next-rip-" name, next_rip, insn,             \
		       .arg = VMCB_EXIT_##which, .want = len,        \
		       .needs = SVM_NRIPS, __VA_ARGS__)
#define INSN(name, which, insn, len, ...)                                      \
	EXITS(name, which, insn, len, __VA_ARGS__),                            \
		L2_ROW("passes-" name, passes, insn, .arg = VMCB_EXIT_##which, \
		       .want = len, __VA_ARGS__)
#define RAX(value) .set = value
#define RCX(value) .clear = value

static const struct l2_row rows[] = {
	INSN("sidt", IDTR_READ, do_sidt, 3, RAX(0)),
	INSN("sgdt", GDTR_READ, do_sgdt, 3, RAX(0)),
	INSN("sldt", LDTR_READ, do_sldt, 3, RAX(0x5a5a)),
	INSN("str", TR_READ, do_str, 3, RAX(0x5a5a)),
	INSN("lidt", IDTR_WRITE, do_lidt, 3, RAX(0)),
	INSN("lgdt", GDTR_WRITE, do_lgdt, 3, RAX(0)),
	INSN("lldt", LDTR_WRITE, do_lldt, 3, RAX(0)),
	INSN("ltr", TR_WRITE, do_ltr, 3, RAX(SEL_TSS)),
	INSN("rdtsc", RDTSC, do_rdtsc, 2, RAX(0x5a5a)),
	EXITS("rdpmc", RDPMC, do_rdpmc, 2, RAX(0x5a5a)),
	INSN("pushf", PUSHF, do_pushf, 1, RAX(0)),
	INSN("popf", POPF, do_popf, 1, RAX(0)),
	INSN("cpuid", CPUID, do_cpuid, 2, RAX(0)),
	INSN("cpuid-prefixed", CPUID, do_prefixed, 3, RAX(0)),
	L2_ROW("next-rip-rewritten", next_rip_rewritten, NULL,
	       .needs = SVM_NRIPS),
	EXITS("rsm", RSM, do_rsm, 2, RAX(0)),
	EXITS("iret", IRET, do_iret, 2, RAX(0)),
	EXITS("int", SWINT, do_int, 2, RAX(0)),
	INSN("invd", INVD, do_invd, 2, RAX(0)),
	INSN("pause", PAUSE, do_pause, 2, RAX(0)),
	INSN("pause-prefixed", PAUSE, do_rep_pause, 3, RAX(0)),
	EXITS("hlt", HLT, do_hlt, 1, RAX(0)),
	INSN("invlpg", INVLPG, do_invlpg, 3, RAX(0)),
	INSN("invlpga", INVLPGA, do_invlpga, 3, RAX(SVM_PAGE_A), RCX(1)),
	EXITS("vmrun", VMRUN, do_vmrun, 3, RAX(SVM_PAGE_A)),
	EXITS("vmmcall", VMMCALL, do_vmmcall, 3, RAX(SVM_PAGE_A)),
	EXITS("vmload", VMLOAD, do_vmload, 3, RAX(SVM_PAGE_A)),
	EXITS("vmsave", VMSAVE, do_vmsave, 3, RAX(SVM_PAGE_A)),
	INSN("stgi", STGI, do_stgi, 3, RAX(0)),
	INSN("clgi", CLGI, do_clgi, 3, RAX(0)),
	EXITS("skinit", SKINIT, do_skinit, 3, RAX(SVM_PAGE_A)),
	INSN("rdtscp", RDTSCP, do_rdtscp, 3, RAX(0)),
	EXITS("icebp", ICEBP, do_icebp, 1, RAX(0)),
	INSN("wbinvd", WBINVD, do_wbinvd, 2, RAX(0)),
	INSN("monitor", MONITOR, do_monitor, 3, RAX(SVM_PAGE_B)),
	EXITS("mwait", MWAIT, do_mwait, 3, RAX(0)),
	INSN("xsetbv", XSETBV, do_xsetbv, 3, RAX(1)),
	L2_ROW("passes-rsm", jumps, do_rsm, .arg = VMCB_EXIT_RSM,
	       .want = VMCB_EXIT_EXCEPTION + VECTOR_UD),
	L2_ROW("passes-icebp", jumps, do_icebp, .arg = VMCB_EXIT_ICEBP,
	       .want = VMCB_EXIT_VMMCALL),
	L2_ROW("passes-iret", jumps, do_iret, .arg = VMCB_EXIT_IRET,
	       .want = VMCB_EXIT_VMMCALL),
	L2_ROW("passes-int", jumps, do_int, .arg = VMCB_EXIT_SWINT,
	       .want = VMCB_EXIT_VMMCALL),
	L2_ROW("info-invlpg", info, do_invlpg, .arg = VMCB_EXIT_INVLPG,
	       .want = SVM_PAGE_B, .needs = SVM_ASSISTS),
	L2_ROW("info-int", info, do_int, .arg = VMCB_EXIT_SWINT,
	       .want = SOFT_VECTOR, .needs = SVM_ASSISTS),
	L2_ROW("bytes-npf", bytes, do_touch_a, .want = 15,
	       .needs = SVM_ASSISTS),
};

const struct l2_table intercept_insns = L2_TABLE(rows);

int main(const char *cmdline)
{
	const struct l2_table tables[] = {intercept_insns, intercept_registers,
					  intercept_exceptions, intercept_user};

	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
