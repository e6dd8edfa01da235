/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MSR permission map (AMD APM vol. 2, 15.11); svm_maps_io.c has the ports'.
 */
#include "guest/test/svm_maps.h"

#include "guest/lib/idt.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define PAGE_ALIGNED	 __attribute__((aligned(PAGE_SIZE)))
#define RANGE_BITS	 0x4000u /* of each of the map's three ranges */
#define BITS_PER_MSR	 2
#define WRITE		 1ull
#define MSR_STAR	 0xc0000081
#define MSR_LSTAR	 0xc0000082
#define MSR_KERNEL_GS	 0xc0000102
#define MSR_SYSENTER_EIP 0x176
#define VALUE		 0x0000123456789abcull

int main(const char *cmdline);

u8 maps_io[IOPM_PAGES * PAGE_SIZE] PAGE_ALIGNED;
u8 maps_msr[MSRPM_PAGES * PAGE_SIZE] PAGE_ALIGNED;
static u8 other_map[MSRPM_PAGES * PAGE_SIZE] PAGE_ALIGNED;

SVM_CODE(do_rdmsr, "rdmsr")
SVM_CODE(do_wrmsr, "wrmsr")
/* One instruction, often. */
SVM_CODE(do_rdmsrs, "mov $8, %ebx; 1: rdmsr; dec %ebx; jnz 1b")

void maps_reset(u8 fill)
{
	memset(maps_io, fill, sizeof(maps_io));
	memset(maps_msr, fill, sizeof(maps_msr));
	svm_vmcb.control.iopm_pa = (u64)maps_io;
	svm_vmcb.control.msrpm_pa = (u64)maps_msr;
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_IOIO);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_MSR);
}

void expect_exit_at(svm_code *code, u64 want, u64 len)
{
	const struct svm_regs regs = svm_regs;
	u64 rax = svm_vmcb.save.rax;

	l2_expect_exit(code, want);
	l2_expect("RIP", svm_vmcb.save.rip, (u64)code);
	l2_expect("RAX", svm_vmcb.save.rax, rax);
	l2_expect("RCX", svm_regs.rcx, regs.rcx);
	l2_expect("RDX", svm_regs.rdx, regs.rdx);
	l2_expect("RSI", svm_regs.rsi, regs.rsi);
	l2_expect("RDI", svm_regs.rdi, regs.rdi);
	if (svm_features() & SVM_NRIPS)
		l2_expect("next RIP", svm_vmcb.control.next_rip,
			  (u64)code + len);
}

void expect_passed(svm_code *code, u64 not_code)
{
	u64 exit = l2_run(code);

	if (exit == VMCB_EXIT_EXCEPTION + VECTOR_GP)
		l2_expect("RIP of #GP", svm_vmcb.save.rip, (u64)code);
	else
		l2_expect(exit == not_code ? "exit code, free" : "exit code",
			  exit, VMCB_EXIT_VMMCALL);
}

/* Bit 0 is about reads, the next one about writes. */
static u64 msr_bit(u64 msr)
{
	u64 range = msr >> 30 ? 1 + (msr >> 16 & 1) : 0;

	return range * RANGE_BITS + (msr & 0x1fff) * BITS_PER_MSR;
}

/* The access whose bit .set names, to MSR .arg, of VALUE. */
static svm_code *start(const struct l2_row *r)
{
	svm_regs.rcx = r->arg;
	svm_regs.rdx = VALUE >> 32;
	svm_vmcb.save.rax = (u32)VALUE;
	return r->set ? do_wrmsr : do_rdmsr;
}

static void expect_msr_exit(const struct l2_row *r)
{
	expect_exit_at(start(r), VMCB_EXIT_MSR, 2);
	l2_expect("EXITINFO1", svm_vmcb.control.exit_info_1, r->set);
}

/* This bit alone. */
static void exits(const struct l2_row *r)
{
	maps_reset(0);
	map_set(maps_msr, msr_bit(r->arg) + r->set);
	expect_msr_exit(r);
}

/* All bits but this one. A #GP says that there is no such MSR. */
static void passes(const struct l2_row *r)
{
	svm_code *code = start(r);

	if (r->set)
		svm_regs.rdx = svm_vmcb.save.rax = 0;
	maps_reset(0xff);
	map_clear(maps_msr, msr_bit(r->arg) + r->set);
	expect_passed(code, VMCB_EXIT_MSR);
}

/* All bits but this one, of an MSR that there is. */
static void passes_often(const struct l2_row *r)
{
	start(r);
	maps_reset(0xff);
	map_clear(maps_msr, msr_bit(r->arg));
	l2_expect_exit(do_rdmsrs, VMCB_EXIT_VMMCALL);
	l2_expect("turns left", svm_regs.rbx, 0);
}

/* Beyond the ranges: in spite of an empty map. */
static void outside(const struct l2_row *r)
{
	maps_reset(0);
	expect_msr_exit(r);
}

/* The map says yes to all, but nobody asks it. */
static void unasked(const struct l2_row *r)
{
	maps_reset(0xff);
	vmcb_pass(&svm_vmcb, VMCB_EXIT_MSR);
	start(r);
	l2_expect_exit(do_rdmsr, VMCB_EXIT_VMMCALL);
}

/* What L2 reads is what L1 has written. */
static void reads(const struct l2_row *r)
{
	u64 before = rdmsr((u32)r->arg);

	maps_reset(0);
	wrmsr((u32)r->arg, r->want);
	start(r);
	l2_expect_exit(do_rdmsr, VMCB_EXIT_VMMCALL);
	wrmsr((u32)r->arg, before);
	l2_expect("low", svm_vmcb.save.rax, (u32)r->want);
	l2_expect("high", svm_regs.rdx, r->want >> 32);
}

static void writes(const struct l2_row *r)
{
	u64 before = rdmsr((u32)r->arg);

	maps_reset(0);
	start(r);
	svm_vmcb.save.rax = (u32)r->want;
	svm_regs.rdx = r->want >> 32;
	l2_expect_exit(do_wrmsr, VMCB_EXIT_VMMCALL);
	l2_expect("value", rdmsr((u32)r->arg), r->want);
	wrmsr((u32)r->arg, before);
}

/* A write that exits writes nothing. */
static void writes_not(const struct l2_row *r)
{
	u64 before = rdmsr((u32)r->arg);

	maps_reset(0xff);
	start(r);
	l2_expect_exit(do_wrmsr, VMCB_EXIT_MSR);
	l2_expect("value", rdmsr((u32)r->arg), before);
}

/* Set and clear between two runs of one VMCB. */
static void changes(const struct l2_row *r)
{
	maps_reset(0);
	start(r);
	l2_expect_exit(do_rdmsr, VMCB_EXIT_VMMCALL);
	map_set(maps_msr, msr_bit(r->arg));
	start(r);
	l2_expect_exit(do_rdmsr, VMCB_EXIT_MSR);
	map_clear(maps_msr, msr_bit(r->arg));
	start(r);
	l2_expect_exit(do_rdmsr, VMCB_EXIT_VMMCALL);
}

static void moves(const struct l2_row *r)
{
	maps_reset(0);
	memset(other_map, 0, sizeof(other_map));
	map_set(other_map, msr_bit(r->arg));
	start(r);
	l2_expect_exit(do_rdmsr, VMCB_EXIT_VMMCALL);
	svm_vmcb.control.msrpm_pa = (u64)other_map | r->clear;
	start(r);
	l2_expect_exit(do_rdmsr, VMCB_EXIT_MSR);
}

#define BOTH(name, run, msr)                           \
	L2_ROW(name "-read", run, NULL, .arg = (msr)), \
		L2_ROW(name "-write", run, NULL, .arg = (msr), .set = WRITE)
#define MSR(name, msr)                       \
	BOTH("msr-exits-" name, exits, msr), \
		BOTH("msr-passes-" name, passes, msr)
#define VALUES(name, msr, value)                                               \
	L2_ROW("msr-reads-" name, reads, NULL, .arg = (msr), .want = (value)), \
		L2_ROW("msr-writes-" name, writes, NULL, .arg = (msr),         \
		       .want = (value))

static const struct l2_row rows[] = {
	MSR("0", 0),
	MSR("1fff", 0x1fff),
	MSR("c0000000", 0xc0000000),
	MSR("lstar", MSR_LSTAR),
	MSR("c0001fff", 0xc0001fff),
	MSR("c0010000", 0xc0010000),
	MSR("c0011fff", 0xc0011fff),
	BOTH("msr-outside-2000", outside, 0x2000),
	BOTH("msr-outside-40000000", outside, 0x40000000),
	BOTH("msr-outside-bfffffff", outside, 0xbfffffff),
	BOTH("msr-outside-c0002000", outside, 0xc0002000),
	BOTH("msr-outside-c000ffff", outside, 0xc000ffff),
	BOTH("msr-outside-c0012000", outside, 0xc0012000),
	BOTH("msr-outside-c0020000", outside, 0xc0020000),
	BOTH("msr-outside-ffffffff", outside, 0xffffffff),
	L2_ROW("msr-unasked", unasked, NULL, .arg = MSR_LSTAR),
	L2_ROW("msr-passes-often", passes_often, NULL, .arg = MSR_APIC_BASE),
	VALUES("star", MSR_STAR, VALUE),
	VALUES("lstar", MSR_LSTAR, VALUE),
	VALUES("kernel-gs", MSR_KERNEL_GS, VALUE),
	VALUES("sysenter-eip", MSR_SYSENTER_EIP, 0x1234567),
	L2_ROW("msr-exit-writes-not", writes_not, NULL, .arg = MSR_LSTAR),
	L2_ROW("msr-map-changes", changes, NULL, .arg = MSR_LSTAR),
	L2_ROW("msr-map-moves", moves, NULL, .arg = MSR_LSTAR),
	L2_ROW("msr-map-low-bits", moves, NULL, .arg = MSR_LSTAR,
	       .clear = 0xfff),
};

const struct l2_table maps_msrs = L2_TABLE(rows);

int main(const char *cmdline)
{
	const struct l2_table tables[] = {maps_msrs, maps_ports};

	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
