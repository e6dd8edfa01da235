/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The I/O permission map and what an IOIO exit tells (AMD APM vol. 2, 15.10).
 * An access exits if the bit of one of its ports is set; the bits beyond port
 * 0xffff are those of the map's third page.
 */
#include "guest/test/svm_maps.h"

#include "lib/cpu.h"
#include "lib/string.h"

#define COM1_SCRATCH 0x3ff /* a byte of memory behind a port */
#define PORT	     0x80
#define IOPL_3	     0x3000
#define RAX	     0x11223344556677ull
#define COUNT	     3
#define ADDRESS_BITS 0x380u
#define SEGMENT_BITS 0x1c00u
#define SEGMENT(n)   ((u64)(n) << 10)
#define SEG_ES	     0
#define SEG_DS	     3
#define SEG_FS	     4
#define IN	     VMCB_IO_IN
#define STRING	     VMCB_IO_STRING
#define REP	     VMCB_IO_REP
#define S8	     VMCB_IO_SIZE_8
#define S16	     (VMCB_IO_SIZE_8 << 1)
#define S32	     (VMCB_IO_SIZE_8 << 2)
#define A32	     (VMCB_IO_ADDR_16 << 1)
#define A64	     (VMCB_IO_ADDR_16 << 2)
#define FAR_ADDRESS  0x140000008ull /* not mapped in L2's page tables */

#define PAGE_ALIGNED __attribute__((aligned(PAGE_SIZE)))
static u8 other_map[IOPM_PAGES * PAGE_SIZE] PAGE_ALIGNED;

/* RDX = port, RSI = RDI = page B, RCX = COUNT */
SVM_CODE(in8, "in %dx, %al")
SVM_CODE(in16, "in %dx, %ax")
SVM_CODE(in32, "in %dx, %eax")
SVM_CODE(out8, "out %al, %dx")
SVM_CODE(out16, "out %ax, %dx")
SVM_CODE(out32, "out %eax, %dx")
SVM_CODE(in8_imm, "in $0x80, %al")
SVM_CODE(in32_imm, "in $0x80, %eax")
SVM_CODE(out8_imm, "out %al, $0x80")
SVM_CODE(ins8, "insb")
SVM_CODE(ins16, "insw")
SVM_CODE(ins32, "insl")
SVM_CODE(outs8, "outsb")
SVM_CODE(outs16, "outsw")
SVM_CODE(outs32, "outsl")
SVM_CODE(rep_ins8, "rep insb")
SVM_CODE(rep_outs8, "rep outsb")
SVM_CODE(rep_outs32, "rep outsl")
SVM_CODE(rep_outs16_a32, "addr32 rep outsw")
SVM_CODE(ins8_a32, "addr32 insb")
SVM_CODE(outs8_fs, ".byte 0x64, 0x6e")
SVM_CODE(in8_a32, "addr32 in %dx, %al")
SVM_CODE(out16_imm, "out %ax, $0x80")

static void prepare(u64 port)
{
	svm_regs = (struct svm_regs){0, COUNT, port, SVM_PAGE_B, SVM_PAGE_B};
	svm_vmcb.save.rax = RAX;
	memset((void *)SVM_PAGE_B, 0x5a, 16);
}

/* Port .arg, only the bit of port .set: an exit with EXITINFO1 .want, but for
 * the port in it, and the next instruction .clear bytes behind. */
static void exits(const struct l2_row *r)
{
	const struct vmcb_control *c = &svm_vmcb.control;

	maps_reset(0);
	map_set(maps_io, r->set);
	prepare(r->arg);
	expect_exit_at(r->code, VMCB_EXIT_IOIO, r->clear);
	l2_expect("EXITINFO1",
		  c->exit_info_1 & ~(u64)(ADDRESS_BITS | SEGMENT_BITS),
		  r->arg << 16 | r->want);
	l2_expect("EXITINFO2", c->exit_info_2, (u64)r->code + r->clear);
}

/* All bits but the .set ones from port .arg on. */
static void passes(const struct l2_row *r)
{
	maps_reset(0xff);
	for (u64 i = 0; i < r->set; i++)
		map_clear(maps_io, r->arg + i);
	prepare(r->arg);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
}

/* Bits .clear of EXITINFO1 are .want. */
static void info(const struct l2_row *r)
{
	maps_reset(0xff);
	prepare(PORT);
	l2_expect_exit(r->code, VMCB_EXIT_IOIO);
	l2_expect("EXITINFO1", svm_vmcb.control.exit_info_1 & r->clear,
		  r->want);
}

static void unasked(const struct l2_row *r)
{
	maps_reset(0xff);
	vmcb_pass(&svm_vmcb, VMCB_EXIT_IOIO);
	prepare(PORT);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
}

static void reads(const struct l2_row *r)
{
	maps_reset(0);
	outb(COM1_SCRATCH, 0xa5);
	prepare(COM1_SCRATCH);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("RAX", svm_vmcb.save.rax, (RAX & ~0xffull) | 0xa5);
}

static void writes(const struct l2_row *r)
{
	maps_reset(0);
	outb(COM1_SCRATCH, 0);
	prepare(COM1_SCRATCH);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("value", inb(COM1_SCRATCH), RAX & 0xff);
}

static void writes_not(const struct l2_row *r)
{
	maps_reset(0xff);
	outb(COM1_SCRATCH, 0);
	prepare(COM1_SCRATCH);
	l2_expect_exit(r->code, VMCB_EXIT_IOIO);
	l2_expect("value", inb(COM1_SCRATCH), 0);
}

static void reads_string(const struct l2_row *r)
{
	maps_reset(0);
	outb(COM1_SCRATCH, 0xa5);
	prepare(COM1_SCRATCH);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("memory", *(u64 *)SVM_PAGE_B, r->want);
	l2_expect("RDI", svm_regs.rdi, SVM_PAGE_B + r->set);
	l2_expect("RCX", svm_regs.rcx, r->clear);
}

static void writes_string(const struct l2_row *r)
{
	maps_reset(0);
	outb(COM1_SCRATCH, 0);
	prepare(COM1_SCRATCH);
	*(u64 *)SVM_PAGE_B = 0x0807060504030201;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("value", inb(COM1_SCRATCH), r->want);
	l2_expect("RSI", svm_regs.rsi, SVM_PAGE_B + r->set);
	l2_expect("RCX", svm_regs.rcx, r->clear);
}

/* The port counts before the memory. */
static void before_memory(const struct l2_row *r)
{
	maps_reset(0xff);
	prepare(PORT);
	svm_regs.rsi = svm_regs.rdi = FAR_ADDRESS;
	l2_expect_exit(r->code, VMCB_EXIT_IOIO);
}

/* The flags' IOPL comes before the map, which counts with it. */
static void at_cpl_3(const struct l2_row *r)
{
	maps_reset(0xff);
	prepare(PORT);
	l2_user();
	svm_vmcb.save.rflags |= r->set;
	l2_expect_exit(r->code, r->want);
}

static void changes(const struct l2_row *r)
{
	maps_reset(0);
	prepare(PORT);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	map_set(maps_io, PORT);
	l2_expect_exit(r->code, VMCB_EXIT_IOIO);
	map_clear(maps_io, PORT);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
}

static void moves(const struct l2_row *r)
{
	maps_reset(0);
	memset(other_map, 0, sizeof(other_map));
	map_set(other_map, PORT);
	prepare(PORT);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	svm_vmcb.control.iopm_pa = (u64)other_map | r->clear;
	l2_expect_exit(r->code, VMCB_EXIT_IOIO);
}

/* Access @code of @bits to @port exits by the bit of port @by. */
#define EXITS(name, insn, len, bits, port, by)                            \
	L2_ROW("io-exits-" name, exits, insn, .arg = (port), .set = (by), \
	       .clear = (len), .want = (bits))
#define PASSES(name, insn, port, ports) \
	L2_ROW("io-passes-" name, passes, insn, .arg = (port), .set = (ports))
#define ADDRESS(name, insn, bits)                                          \
	L2_ROW("io-address-size-" name, info, insn, .clear = ADDRESS_BITS, \
	       .want = (bits))
#define SEG(name, insn, n)                                            \
	L2_ROW("io-segment-" name, info, insn, .clear = SEGMENT_BITS, \
	       .want = SEGMENT(n), .needs = SVM_ASSISTS)

static const struct l2_row rows[] = {
	EXITS("in8", in8, 1, IN | S8, PORT, PORT),
	EXITS("in16", in16, 2, IN | S16, PORT, PORT),
	EXITS("in32", in32, 1, IN | S32, PORT, PORT),
	EXITS("out8", out8, 1, S8, PORT, PORT),
	EXITS("out16", out16, 2, S16, PORT, PORT),
	EXITS("out32", out32, 1, S32, PORT, PORT),
	EXITS("in8-imm", in8_imm, 2, IN | S8, PORT, PORT),
	EXITS("in32-imm", in32_imm, 2, IN | S32, PORT, PORT),
	EXITS("out8-imm", out8_imm, 2, S8, PORT, PORT),
	EXITS("ins8", ins8, 1, IN | STRING | S8, PORT, PORT),
	EXITS("ins16", ins16, 2, IN | STRING | S16, PORT, PORT),
	EXITS("ins32", ins32, 1, IN | STRING | S32, PORT, PORT),
	EXITS("outs8", outs8, 1, STRING | S8, PORT, PORT),
	EXITS("outs16", outs16, 2, STRING | S16, PORT, PORT),
	EXITS("outs32", outs32, 1, STRING | S32, PORT, PORT),
	EXITS("rep-ins8", rep_ins8, 2, IN | STRING | REP | S8, PORT, PORT),
	EXITS("rep-outs8", rep_outs8, 2, STRING | REP | S8, PORT, PORT),
	EXITS("rep-outs32", rep_outs32, 2, STRING | REP | S32, PORT, PORT),
	EXITS("rep-outs16-a32", rep_outs16_a32, 4, STRING | REP | S16, PORT,
	      PORT),
	EXITS("port-0", in8, 1, IN | S8, 0, 0),
	EXITS("port-7fff", in8, 1, IN | S8, 0x7fff, 0x7fff),
	EXITS("port-8000", in8, 1, IN | S8, 0x8000, 0x8000),
	EXITS("port-ffff", in8, 1, IN | S8, 0xffff, 0xffff),
	EXITS("port-ffff-out", out8, 1, S8, 0xffff, 0xffff),
	EXITS("in16-by-2nd", in16, 2, IN | S16, 0x84, 0x85),
	EXITS("in16-next-byte", in16, 2, IN | S16, 0x87, 0x88),
	EXITS("in32-by-2nd", in32, 1, IN | S32, 0x84, 0x85),
	EXITS("in32-by-4th", in32, 1, IN | S32, 0x84, 0x87),
	EXITS("in32-next-byte", in32, 1, IN | S32, 0x86, 0x89),
	EXITS("out32-next-byte", out32, 1, S32, 0x85, 0x88),
	EXITS("in16-next-page", in16, 2, IN | S16, 0x7fff, 0x8000),
	EXITS("in32-next-page", in32, 1, IN | S32, 0x7ffd, 0x8000),
	EXITS("in16-page-3", in16, 2, IN | S16, 0xffff, 0x10000),
	EXITS("in32-page-3", in32, 1, IN | S32, 0xfffd, 0x10000),
	EXITS("in32-page-3-last", in32, 1, IN | S32, 0xffff, 0x10002),
	EXITS("outs32-next-byte", outs32, 1, STRING | S32, 0x86, 0x89),
	EXITS("rep-ins8-port-ffff", rep_ins8, 2, IN | STRING | REP | S8, 0xffff,
	      0xffff),
	PASSES("in8", in8, PORT, 1),
	PASSES("in16", in16, PORT, 2),
	PASSES("in32", in32, PORT, 4),
	PASSES("out8", out8, PORT, 1),
	PASSES("out16", out16, PORT, 2),
	PASSES("in16-next-byte", in16, 0x87, 2),
	PASSES("in32-next-byte", in32, 0x86, 4),
	PASSES("in16-next-page", in16, 0x7fff, 2),
	PASSES("port-0", in8, 0, 1),
	PASSES("port-ffff", in8, 0xffff, 1),
	PASSES("outs8", outs8, PORT, 1),
	PASSES("rep-outs8", rep_outs8, PORT, 1),
	ADDRESS("in8", in8, A64),
	ADDRESS("in16", in16, A64),
	ADDRESS("in8-a32", in8_a32, A32),
	ADDRESS("in8-imm", in8_imm, A64),
	ADDRESS("out16-imm", out16_imm, A64),
	ADDRESS("outs8", outs8, A64),
	ADDRESS("rep-outs8", rep_outs8, A64),
	ADDRESS("ins8-a32", ins8_a32, A32),
	ADDRESS("rep-outs16-a32", rep_outs16_a32, A32),
	SEG("ins8", ins8, SEG_ES),
	SEG("outs8", outs8, SEG_DS),
	SEG("outs8-fs", outs8_fs, SEG_FS),
	L2_ROW("io-unasked", unasked, in8),
	L2_ROW("io-reads", reads, in8),
	L2_ROW("io-writes", writes, out8),
	L2_ROW("io-exit-writes-not", writes_not, out8),
	L2_ROW("io-exit-writes-not-string", writes_not, outs8),
	L2_ROW("io-reads-string", reads_string, ins8,
	       .want = 0x5a5a5a5a5a5a5aa5, .set = 1, .clear = COUNT),
	L2_ROW("io-reads-rep", reads_string, rep_ins8,
	       .want = 0x5a5a5a5a5aa5a5a5, .set = COUNT),
	L2_ROW("io-writes-string", writes_string, outs8, .want = 1, .set = 1,
	       .clear = COUNT),
	L2_ROW("io-writes-rep", writes_string, rep_outs8, .want = COUNT,
	       .set = COUNT),
	L2_ROW("io-before-memory-out", before_memory, outs8),
	L2_ROW("io-before-memory-in", before_memory, ins8),
	L2_ROW("io-cpl3-iopl-3", at_cpl_3, in8, .set = IOPL_3,
	       .want = VMCB_EXIT_IOIO),
	L2_ROW("io-cpl3-iopl-0", at_cpl_3, in8,
	       .want = VMCB_EXIT_EXCEPTION + VECTOR_GP),
	L2_ROW("io-map-changes", changes, in8),
	L2_ROW("io-map-moves", moves, in8),
	L2_ROW("io-map-low-bits", moves, in8, .clear = 0xfff),
};

const struct l2_table maps_ports = L2_TABLE(rows);
