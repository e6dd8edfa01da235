/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intercepts of control and debug registers, words 0 and 1 of the VMCB, and of
 * selected writes to CR0 (AMD APM vol. 2, 15.8). Of each access: it exits
 * before anything has happened; it runs while all other registers are
 * intercepted; next RIP and, with decode assists, which general register.
 */
#include "guest/test/svm_intercept.h"

#include "lib/cpu.h"

#define NUMBER	 0xf
#define READS	 0x0000ffffu
#define INFO_MOV (1ull << 63) /* EXITINFO1: MOV, not LMSW or the like */
#define CR0_MP	 0x2
#define CR0_TS	 0x8
#define CR0_AM	 0x40000
#define R11	 11
#define VALUE	 0x5678ull

/* RDX = the value to write, or what was read. */
#define CR_CODE(n)                                           \
	SVM_CODE(do_read_cr##n, "mov %cr" #n ", %rdx")       \
	SVM_CODE(do_write_cr##n, "mov %rdx, %cr" #n)         \
	SVM_CODE(do_read_cr##n##_r11, "mov %cr" #n ", %r11") \
	SVM_CODE(do_write_cr##n##_r11, "mov %r11, %cr" #n)
#define DR_CODE(n)                                     \
	SVM_CODE(do_read_dr##n, "mov %dr" #n ", %rdx") \
	SVM_CODE(do_write_dr##n, "mov %rdx, %dr" #n)

CR_CODE(0)
CR_CODE(2)
CR_CODE(3)
CR_CODE(4)
CR_CODE(8)
DR_CODE(0)
DR_CODE(1)
DR_CODE(2)
DR_CODE(3)
DR_CODE(6)
DR_CODE(7)
SVM_CODE(do_read_dr0_r11, "mov %dr0, %r11")
SVM_CODE(do_write_dr7_r11, "mov %r11, %dr7")
SVM_CODE(do_read_cr1, ".byte 0x0f, 0x20, 0xca")
SVM_CODE(do_write_cr5, ".byte 0x0f, 0x22, 0xea")
SVM_CODE(do_read_cr7, ".byte 0x0f, 0x20, 0xfa")
SVM_CODE(do_write_cr9, ".byte 0x44, 0x0f, 0x22, 0xca")
SVM_CODE(do_read_cr15, ".byte 0x44, 0x0f, 0x20, 0xfa")
SVM_CODE(do_clts, "clts")
SVM_CODE(do_lmsw, "lmsw %dx")
SVM_CODE(do_smsw, "smsw %edx")
SVM_CODE(do_smsw_memory, "smsw (%rbx)")

/* What is in register .arg now; an absent value is VALUE. */
static u64 *shadow(u64 code)
{
	static u64 value;
	struct vmcb_save *s = &svm_vmcb.save;

	value = code & NUMBER & ~7ull ? 0 : VALUE;
	switch (code & ~(u64)VMCB_EXIT_CR_WRITE) {
	case VMCB_EXIT_CR_READ + 0:
		return &s->cr0;
	case VMCB_EXIT_CR_READ + 2:
		return &s->cr2;
	case VMCB_EXIT_CR_READ + 3:
		return &s->cr3;
	case VMCB_EXIT_CR_READ + 4:
		return &s->cr4;
	case VMCB_EXIT_DR_READ + 6:
		return &s->dr6;
	case VMCB_EXIT_DR_READ + 7:
		return &s->dr7;
	}
	return &value;
}

static void prepare(const struct l2_row *r)
{
	svm_vmcb.save.cr2 = VALUE;
	svm_regs.rbx = SVM_PAGE_B;
	svm_regs.rdx = *shadow(r->arg) ^ r->set;
	for (unsigned n = 0; n < 4; n++)
		__asm__ volatile("mov %0, %%dr0; mov %0, %%dr1;"
				 "mov %0, %%dr2; mov %0, %%dr3"
				 :
				 : "r"(VALUE));
}

static void exits(const struct l2_row *r)
{
	prepare(r);
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	expect_stopped(r->code, r->arg);
	clear_debug_addresses();
}

/* The bits .set change by a write. */
static void passes(const struct l2_row *r)
{
	u64 want;

	prepare(r);
	want = svm_regs.rdx;
	if (!(r->arg & VMCB_EXIT_CR_WRITE))
		svm_regs.rdx = 0;
	intercept_all();
	vmcb_pass(&svm_vmcb, VMCB_EXIT_CR0_SELECTED);
	vmcb_pass(&svm_vmcb, (u32)r->arg);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("value", svm_regs.rdx, want);
	if (r->arg & VMCB_EXIT_CR_WRITE && *shadow(r->arg) != VALUE)
		l2_expect("written", *shadow(r->arg), want & ~r->clear);
	clear_debug_addresses();
}

/* Of CR0 reads alone L1 wants nothing: neither memory nor the next read that it
 * does want is lost. */
static void passes_memory(const struct l2_row *r)
{
	prepare(r);
	*(u64 *)SVM_PAGE_B = 0;
	intercept_all();
	vmcb_pass(&svm_vmcb, (u32)r->arg);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("value", *(u64 *)SVM_PAGE_B, svm_vmcb.save.cr0 & 0xffff);
	l2_expect_exit(do_read_cr3, VMCB_EXIT_CR_READ + 3);
}

static void next_rip(const struct l2_row *r)
{
	prepare(r);
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	l2_expect_exit(r->code, r->arg);
	l2_expect("next RIP", svm_vmcb.control.next_rip - (u64)r->code,
		  r->want);
	clear_debug_addresses();
}

static void info(const struct l2_row *r)
{
	prepare(r);
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	l2_expect_exit(r->code, r->arg);
	l2_expect("EXITINFO1", svm_vmcb.control.exit_info_1, r->want);
	clear_debug_addresses();
}

/* #UD, though everything is intercepted. */
static void undefined(const struct l2_row *r)
{
	intercept_all();
	expect_stopped(r->code, VMCB_EXIT_EXCEPTION + VECTOR_UD);
}

/* Intercept .arg; a write that toggles .set in CR0; exit code .want. */
static void selected(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, (u32)r->arg);
	svm_vmcb.save.cr0 |= r->clear;
	svm_regs.rbx = SVM_PAGE_B;
	svm_regs.rdx = svm_vmcb.save.cr0 ^ r->set;
	if (r->want == VMCB_EXIT_VMMCALL)
		l2_expect_exit(r->code, r->want);
	else
		expect_stopped(r->code, r->want);
}

#define ROWS(name, code, insn, len, ...)                                \
	L2_ROW("exits-" name, exits, insn, .arg = (code), __VA_ARGS__), \
		L2_ROW("passes-" name, passes, insn, .arg = (code),     \
		       __VA_ARGS__),                                    \
		L2_ROW("next-rip-" name, next_rip, insn, .arg = (code), \
		       .want = (len), .needs = SVM_NRIPS)
#define INFO(name, code, insn, info_1)                                    \
	L2_ROW("info-" name, info, insn, .arg = (code), .want = (info_1), \
	       .needs = SVM_ASSISTS)
/* .set: what a write toggles */
#define CR(n, len, ...)                                                        \
	ROWS("read-cr" #n, VMCB_EXIT_CR_READ + n, do_read_cr##n, len),         \
		ROWS("write-cr" #n, VMCB_EXIT_CR_WRITE + n, do_write_cr##n,    \
		     len, __VA_ARGS__),                                        \
		INFO("read-cr" #n, VMCB_EXIT_CR_READ + n, do_read_cr##n##_r11, \
		     INFO_MOV | R11),                                          \
		INFO("write-cr" #n, VMCB_EXIT_CR_WRITE + n,                    \
		     do_write_cr##n##_r11, INFO_MOV | R11)
#define DR(n, ...)                                                             \
	ROWS("read-dr" #n, VMCB_EXIT_DR_READ + n, do_read_dr##n, 3),           \
		ROWS("write-dr" #n, VMCB_EXIT_DR_WRITE + n, do_write_dr##n, 3, \
		     __VA_ARGS__)
#define SELECTED(name, insn, which, code, ...)                       \
	L2_ROW(name, selected, insn, .arg = (which), .want = (code), \
	       __VA_ARGS__)
#define SEL  VMCB_EXIT_CR0_SELECTED
#define NONE VMCB_EXIT_VMMCALL

static const struct l2_row rows[] = {
	CR(0, 3, .set = CR0_AM),
	CR(2, 3, .set = 0x1230),
	CR(3, 3, .set = 0x18),
	CR(4, 3, .set = 0x8),
	CR(8, 4, .set = 0x0),
	DR(0, .set = 0x10),
	DR(1, .set = 0x10),
	DR(2, .set = 0x10),
	DR(3, .set = 0x10),
	DR(6, .set = 0xf),
	DR(7, .set = 0x10000),
	INFO("read-dr0", VMCB_EXIT_DR_READ, do_read_dr0_r11, R11),
	INFO("write-dr7", VMCB_EXIT_DR_WRITE + 7, do_write_dr7_r11, R11),
	L2_ROW("ud-cr1", undefined, do_read_cr1),
	L2_ROW("ud-cr5", undefined, do_write_cr5),
	L2_ROW("ud-cr7", undefined, do_read_cr7),
	L2_ROW("ud-cr9", undefined, do_write_cr9),
	L2_ROW("ud-cr15", undefined, do_read_cr15),
	SELECTED("clts-as-write", do_clts, VMCB_EXIT_CR_WRITE,
		 VMCB_EXIT_CR_WRITE, .clear = CR0_TS),
	SELECTED("lmsw-as-write", do_lmsw, VMCB_EXIT_CR_WRITE,
		 VMCB_EXIT_CR_WRITE, .set = CR0_TS),
	SELECTED("smsw-as-read", do_smsw, VMCB_EXIT_CR_READ, VMCB_EXIT_CR_READ),
	SELECTED("smsw-memory-as-read", do_smsw_memory, VMCB_EXIT_CR_READ,
		 VMCB_EXIT_CR_READ),
	L2_ROW("passes-smsw", passes, do_smsw, .arg = VMCB_EXIT_CR_READ),
	L2_ROW("passes-smsw-memory", passes_memory, do_smsw_memory,
	       .arg = VMCB_EXIT_CR_READ),
	SELECTED("selected-am", do_write_cr0, SEL, SEL, .set = CR0_AM),
	SELECTED("selected-wp", do_write_cr0, SEL, SEL, .set = CR0_WP),
	SELECTED("selected-cd", do_write_cr0, SEL, SEL, .set = CR0_CD),
	SELECTED("selected-am-and-ts", do_write_cr0, SEL, SEL,
		 .set = CR0_AM | CR0_TS),
	SELECTED("selected-not-ts", do_write_cr0, SEL, NONE, .set = CR0_TS),
	SELECTED("selected-not-mp", do_write_cr0, SEL, NONE, .set = CR0_MP),
	SELECTED("selected-not-same", do_write_cr0, SEL, NONE),
	SELECTED("selected-lmsw-em", do_lmsw, SEL, SEL, .set = 0x4),
	SELECTED("selected-not-lmsw-ts", do_lmsw, SEL, NONE, .set = CR0_TS),
	SELECTED("selected-not-clts", do_clts, SEL, NONE, .clear = CR0_TS),
	INFO("clts", VMCB_EXIT_CR_WRITE, do_clts, 0),
	INFO("smsw", VMCB_EXIT_CR_READ, do_smsw, 0),
};

const struct l2_table intercept_registers = L2_TABLE(rows);
