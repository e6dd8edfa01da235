/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMLOAD and VMSAVE (AMD APM vol. 2, 15.5.2; vol. 3): what they move, what they
 * leave alone and what they refuse; that VMRUN and #VMEXIT leave the same state
 * alone. Executed by L1; svm_load_l2.c has them executed by L2.
 */
#include "guest/test/svm_load.h"

#include "guest/lib/idt.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define BIT(n)	   (1ull << (n))
#define MISALIGNED 0x800
#define FILLER	   0xa5

int main(const char *cmdline);

const struct load_field load_fields[LOAD_FIELDS] = {
	{offsetof(struct vmcb, save.star), 0xc0000081, 0x0013000812345678},
	{offsetof(struct vmcb, save.lstar), 0xc0000082, 0x00007f1234567890},
	{offsetof(struct vmcb, save.cstar), 0xc0000083, 0x00007f2345678901},
	{offsetof(struct vmcb, save.sfmask), 0xc0000084, 0x47700},
	{offsetof(struct vmcb, save.kernel_gs_base), 0xc0000102,
	 0x00007f3456789012},
	{offsetof(struct vmcb, save.sysenter_cs), 0x174, 0x1238},
	{offsetof(struct vmcb, save.sysenter_esp), 0x175, 0x45678900},
	{offsetof(struct vmcb, save.sysenter_eip), 0x176, 0x56789010},
	{offsetof(struct vmcb, save.fs.base), 0xc0000100, 0x00007f4567890120},
	{offsetof(struct vmcb, save.gs.base), 0xc0000101, 0x00007f5678901230},
};

static const struct vmcb_segment segments[LOAD_SEGMENTS] = {
	{0x1230, 0x0f3, 0x12345, 0x00007f4567890120},
	{0x1240, 0xc93, 0xffffffff, 0x00007f5678901230},
	{0x1250, 0x082, 0x0ffff, 0x00007f6789012340},
	{0x1260, 0x08b, 0x02067, 0x00007f7890123450},
};

static const u64 segment_at[LOAD_SEGMENTS] = {
	offsetof(struct vmcb, save.fs),
	offsetof(struct vmcb, save.gs),
	offsetof(struct vmcb, save.ldtr),
	offsetof(struct vmcb, save.tr),
};

static struct vmcb own __attribute__((aligned(PAGE_SIZE)));

void do_vmsave_at(void *pa)
{
	__asm__ volatile("vmsave" : : "a"(pa) : "memory");
}

void do_vmload_at(void *pa)
{
	__asm__ volatile("vmload" : : "a"(pa) : "memory");
}

void load_begin(void)
{
	do_vmsave_at(&own);
}

void load_end(void)
{
	do_vmload_at(&own);
}

void load_fill(struct vmcb *v)
{
	for (unsigned i = 0; i < LOAD_SEGMENTS; i++)
		*(struct vmcb_segment *)((u64)v + segment_at[i]) = segments[i];
	for (unsigned i = 0; i < LOAD_FIELDS; i++)
		*(u64 *)((u64)v + load_fields[i].at) = load_fields[i].value;
}

static void vmload_filled(void)
{
	load_fill((struct vmcb *)SVM_PAGE_A);
	do_vmload_at((void *)SVM_PAGE_A);
}

/* MSR .arg of the table has what VMLOAD found. */
static void loads(const struct l2_row *r)
{
	const struct load_field *f = &load_fields[r->arg];
	u64 value;

	load_begin();
	vmload_filled();
	value = rdmsr(f->msr);
	load_end();
	l2_expect("MSR", value, f->value);
}

static void saves(const struct l2_row *r)
{
	const struct load_field *f = &load_fields[r->arg];

	load_begin();
	wrmsr(f->msr, f->value);
	memset((void *)SVM_PAGE_A, 0, PAGE_SIZE);
	do_vmsave_at((void *)SVM_PAGE_A);
	load_end();
	l2_expect("field", *(u64 *)(SVM_PAGE_A + f->at), f->value);
}

/* The hidden part too. */
static void both_segment(const struct l2_row *r)
{
	const struct vmcb_segment *want = &segments[r->arg];
	const struct vmcb_segment *got =
		(struct vmcb_segment *)(SVM_PAGE_B + segment_at[r->arg]);

	load_begin();
	vmload_filled();
	memset((void *)SVM_PAGE_B, 0, PAGE_SIZE);
	do_vmsave_at((void *)SVM_PAGE_B);
	load_end();
	l2_expect("selector", got->selector, want->selector);
	l2_expect("attributes", got->attributes, want->attributes);
	l2_expect("limit", got->limit, want->limit);
	l2_expect("base", got->base, want->base);
}

static void selector(const struct l2_row *r)
{
	u32 fs, gs, ldtr, tr;

	(void)r;
	load_begin();
	vmload_filled();
	__asm__ volatile("mov %%fs, %0; mov %%gs, %1; sldt %2; str %3"
			 : "=r"(fs), "=r"(gs), "=r"(ldtr), "=r"(tr));
	load_end();
	l2_expect("FS", (u16)fs, segments[0].selector);
	l2_expect("GS", (u16)gs, segments[1].selector);
	l2_expect("LDTR", (u16)ldtr, segments[2].selector);
	l2_expect("TR", (u16)tr, segments[3].selector);
}

/* VMSAVE writes nothing between the offsets .arg and .set. */
static void save_leaves(const struct l2_row *r)
{
	const u8 *page = (const u8 *)SVM_PAGE_A;

	memset((void *)SVM_PAGE_A, FILLER, PAGE_SIZE);
	do_vmsave_at((void *)SVM_PAGE_A);
	for (u64 i = r->arg; i < r->set; i++)
		if (!l2_expect("byte", i << 8 | page[i], i << 8 | FILLER))
			return;
}

/* VMLOAD only reads. */
static void load_writes_nothing(const struct l2_row *r)
{
	(void)r;
	load_begin();
	memset((void *)SVM_PAGE_A, 0, PAGE_SIZE);
	memset((void *)SVM_PAGE_B, 0, PAGE_SIZE);
	load_fill((struct vmcb *)SVM_PAGE_B);
	vmload_filled();
	load_end();
	l2_expect("difference",
		  !!memcmp((void *)SVM_PAGE_A, (void *)SVM_PAGE_B, PAGE_SIZE),
		  0);
}

/* All else of L1 is as it was, though the page has it, too. */
static void load_leaves(const struct l2_row *r)
{
	const struct l1_state before = l1_state();
	u64 cr2 = read_cr2();

	(void)r;
	load_begin();
	memset((void *)SVM_PAGE_A, 0x11, PAGE_SIZE);
	vmload_filled();
	load_end();
	l1_expect_same(&before);
	l2_expect("CR2", read_cr2(), cr2);
}

/* VMRUN and #VMEXIT: L2 sees L1's, though its VMCB has others. */
SVM_CODE(read_msr, "rdmsr; shl $32, %rdx; lea (%rdx, %rax), %rbx")
static void run_keeps(const struct l2_row *r)
{
	const struct load_field *f = &load_fields[r->arg];
	u64 *field = (u64 *)((u64)&svm_vmcb + f->at);

	load_begin();
	wrmsr(f->msr, f->value);
	*field = f->value + 0x10;
	svm_regs.rcx = f->msr;
	l2_expect_exit(read_msr, VMCB_EXIT_VMMCALL);
	load_end();
	l2_expect("L2's", svm_regs.rbx, f->value);
	l2_expect("VMCB's", *field, f->value + 0x10);
}

/* And L1 sees what L2 writes. */
SVM_CODE(write_msr, "wrmsr")
static void exit_keeps(const struct l2_row *r)
{
	const struct load_field *f = &load_fields[r->arg];
	u64 value;

	load_begin();
	svm_regs.rcx = f->msr;
	svm_regs.rdx = f->value >> 32;
	svm_vmcb.save.rax = (u32)f->value;
	l2_expect_exit(write_msr, VMCB_EXIT_VMMCALL);
	value = rdmsr(f->msr);
	load_end();
	l2_expect("L1's", value, f->value);
}

static void expect_gp(void (*insn)(void *pa), u64 pa, u64 vector)
{
	l2_expect("exception", (u64)trap_try(insn, (void *)pa), vector);
}

/* Page A with more bits: .set, and the end of physical memory with .clear. */
static void refuses(const struct l2_row *r)
{
	u64 pa = SVM_PAGE_A | r->set | (r->clear ? l2_physical_end() : 0);

	load_begin();
	load_fill((struct vmcb *)SVM_PAGE_A);
	expect_gp(do_vmload_at, pa, VECTOR_GP);
	l2_expect("loaded", rdmsr(load_fields[0].msr), own.save.star);
	memset((void *)SVM_PAGE_A, FILLER, PAGE_SIZE);
	expect_gp(do_vmsave_at, pa, VECTOR_GP);
	l2_expect("saved", *(u8 *)(SVM_PAGE_A + load_fields[0].at), FILLER);
	load_end();
}

static void without_svme(const struct l2_row *r)
{
	(void)r;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SVME);
	expect_gp(do_vmload_at, SVM_PAGE_A, VECTOR_UD);
	expect_gp(do_vmsave_at, SVM_PAGE_A, VECTOR_UD);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
}

static void vmsave_short(void *pa)
{
	__asm__ volatile("addr32 vmsave" : : "a"(pa) : "memory");
}

/* 32 bits of address take EAX only. */
static void save_short(const struct l2_row *r)
{
	memset((void *)SVM_PAGE_A, FILLER, PAGE_SIZE);
	expect_gp(vmsave_short, SVM_PAGE_A | r->set, (u64)NO_TRAP);
	l2_expect("saved", *(u64 *)(SVM_PAGE_A + load_fields[0].at),
		  rdmsr(load_fields[0].msr));
}

#define FIELD(name, n)                                                    \
	L2_ROW("loads-" name, loads, NULL, .arg = (n)),                   \
		L2_ROW("saves-" name, saves, NULL, .arg = (n)),           \
		L2_ROW("vmrun-keeps-" name, run_keeps, NULL, .arg = (n)), \
		L2_ROW("exit-keeps-" name, exit_keeps, NULL, .arg = (n))
#define LEAVES(name, from, to)                           \
	L2_ROW("vmsave-leaves-" name, save_leaves, NULL, \
	       .arg = offsetof(struct vmcb, from),       \
	       .set = offsetof(struct vmcb, to))

static const struct l2_row rows[] = {
	FIELD("star", 0),
	FIELD("lstar", 1),
	FIELD("cstar", 2),
	FIELD("sfmask", 3),
	FIELD("kernel-gs", 4),
	FIELD("sysenter-cs", 5),
	FIELD("sysenter-esp", 6),
	FIELD("sysenter-eip", 7),
	FIELD("fs-base", 8),
	FIELD("gs-base", 9),
	L2_ROW("round-trip-fs", both_segment, NULL, .arg = 0),
	L2_ROW("round-trip-gs", both_segment, NULL, .arg = 1),
	L2_ROW("round-trip-ldtr", both_segment, NULL, .arg = 2),
	L2_ROW("round-trip-tr", both_segment, NULL, .arg = 3),
	L2_ROW("loads-selectors", selector, NULL),
	LEAVES("control", control, save),
	LEAVES("es-to-ds", save.es, save.fs),
	LEAVES("gdtr", save.gdtr, save.ldtr),
	LEAVES("idtr", save.idtr, save.tr),
	LEAVES("cpl-to-rsp", save.reserved_0x0a0, save.s_cet),
	LEAVES("rax", save.rax, save.star),
	LEAVES("cr2-to-end", save.cr2, save.reserved_0x298),
	L2_ROW("vmload-writes-nothing", load_writes_nothing, NULL),
	L2_ROW("vmload-leaves-rest", load_leaves, NULL),
	L2_ROW("gp-misaligned", refuses, NULL, .set = MISALIGNED),
	L2_ROW("gp-odd", refuses, NULL, .set = 1),
	L2_ROW("gp-physical-end", refuses, NULL, .clear = 1),
	L2_ROW("gp-bit52", refuses, NULL, .set = BIT(52)),
	L2_ROW("gp-bit63", refuses, NULL, .set = BIT(63)),
	L2_ROW("ud-without-svme", without_svme, NULL),
	L2_ROW("vmsave-32-bit", save_short, NULL, .set = BIT(40)),
};

const struct l2_table load_l1 = L2_TABLE(rows);

int main(const char *cmdline)
{
	const struct l2_table tables[] = {load_l1, load_l2};

	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
