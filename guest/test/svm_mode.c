/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L2 in the other modes of the CPU under nested paging (AMD APM vol. 2, 15.5.1
 * and 15.25): real, virtual-8086, and the way through all of them.
 * svm_mode_32.c: protected mode without paging, with 32-bit and PAE paging;
 * svm_mode_regs.c: L2's own control registers, and memory in bulk.
 */
#include "guest/test/svm_mode.h"

#include "guest/lib/idt.h"
#include "guest/test/svm_trip.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define VECTOR_INT 0x41
#define CODE16	   0x9b /* attributes of segments */
#define CODE_V86   0xf3
#define DATA16	   0x93
#define DATA_V86   0xf3
#define RFLAGS_VM  0x20000ull
#define SEL_REAL   0x700 /* real mode's segment of TRIP_CODE */
#define REAL_STACK 0x6ff0

int main(const char *cmdline);

extern const u8 svm_trip[], svm_trip_end[];

CODE_OF("16", real_alu, "mov $0x12345678, %ecx; rol $8, %ecx")
CODE_OF("16", real_store, "movw $0x5511, (%bx)")
CODE_OF("16", real_int, "int $0x41")
CODE_OF("16", real_ud2, "ud2")
CODE_OF("16", real_nop, "nop")
CODE_OF("16", real_limit, "mov $0xffff, %bx; movw $1, (%bx)")

void mode_segments(u16 code, u16 data)
{
	struct vmcb_save *s = &svm_vmcb.save;
	const struct vmcb_segment d = {0, data, ~0u, 0};

	s->cs = (struct vmcb_segment){0, code, ~0u, 0};
	s->ds = d;
	s->es = d;
	s->ss = d;
}

void mode_no_paging(u64 cr0)
{
	svm_vmcb.save.cr0 = cr0 | CR0_ET;
	svm_vmcb.save.cr4 = 0;
	svm_vmcb.save.efer = EFER_SVME;
}

/* Real mode *****************************************************************/

/* With @code at offset 0 of its segment, data and stack in the first 64 KiB,
 * and the interrupt table in page A. */
static void mode_real(svm_code *code)
{
	struct vmcb_save *s = &svm_vmcb.save;
	u32 *vectors = (u32 *)SVM_PAGE_A;

	mode_no_paging(0);
	mode_segments(CODE16, DATA16);
	s->cs = (struct vmcb_segment){0xf000, CODE16, 0xffff, (u64)code};
	s->ds.limit = 0xffff;
	s->ss.limit = 0xffff;
	s->rsp = REAL_STACK;
	s->idtr.base = SVM_PAGE_A;
	s->idtr.limit = 4 * VECTORS - 1;
	for (unsigned v = 0; v < VECTORS; v++)
		vectors[v] = 0;
	vectors[VECTOR_INT] = SEL_REAL << 16;
	vectors[VECTOR_UD] = SEL_REAL << 16;
	memcpy((void *)TRIP_CODE, (void *)svm_handler, 8);
}

/* L2 from offset 0 of its code segment. */
static u64 run_at_0(void)
{
	int trap;

	svm_vmcb.save.rip = 0;
	trap = svm_run_raw();
	svm_stgi();
	return trap == NO_TRAP ? svm_vmcb.control.exit_code
			       : L2_TRAPPED | (u32)trap;
}

/* The CPL in the VMCB does not count. */
static void real_runs(const struct l2_row *r)
{
	mode_real(r->code);
	svm_vmcb.save.cpl = (u8)r->arg;
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("ecx", svm_regs.rcx, 0x34567812);
	l2_expect("cpl", svm_vmcb.save.cpl, 0);
}

/* Linear is physical: page A or a page that L1 puts there instead. */
static void real_stores(const struct l2_row *r)
{
	mode_real(r->code);
	svm_vmcb.save.ds.base = SVM_PAGE_A;
	svm_regs.rbx = 0x10;
	*svm_npte(SVM_PAGE_A) += r->arg;
	*(u16 *)(SVM_PAGE_A + r->arg + 0x10) = 0;
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("stored", *(u16 *)(SVM_PAGE_A + r->arg + 0x10), MARK);
}

static void real_npf(const struct l2_row *r)
{
	mode_real(r->code);
	svm_vmcb.save.ds.base = SVM_PAGE_A;
	svm_regs.rbx = 0x10;
	*svm_npte(SVM_PAGE_A) = 0;
	l2_expect("exit", run_at_0(), VMCB_EXIT_NPF);
	l2_expect("info 1", svm_vmcb.control.exit_info_1,
		  VMCB_NPF_FINAL | VMCB_NPF_USER | VMCB_NPF_WRITE);
	l2_expect("info 2", svm_vmcb.control.exit_info_2, SVM_PAGE_A + 0x10);
}

/* By INT, an exception or EVENTINJ .arg: through the interrupt table, a frame
 * of three words, of which the return address is .want. */
static void real_interrupt(const struct l2_row *r)
{
	mode_real(r->code);
	vmcb_pass(&svm_vmcb, EXIT_OF(VECTOR_UD));
	svm_vmcb.control.event_inj = r->arg;
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("cs", svm_vmcb.save.cs.selector, SEL_REAL);
	l2_expect("base", svm_vmcb.save.cs.base, TRIP_CODE);
	l2_expect("rip", svm_vmcb.save.rip, 0);
	l2_expect("sp", svm_vmcb.save.rsp, REAL_STACK - 6);
	l2_expect("return ip", *(u16 *)(REAL_STACK - 6), r->want);
	l2_expect("return cs", *(u16 *)(REAL_STACK - 4), 0xf000);
}

static void real_virtual(const struct l2_row *r)
{
	svm_vmcb.control.int_ctl = VMCB_V_IRQ | 15u << VMCB_V_PRIO_SHIFT;
	svm_vmcb.control.int_vector = VECTOR_INT;
	svm_vmcb.save.rflags |= RFLAGS_IF;
	real_interrupt(r);
	l2_expect("V_IRQ", svm_vmcb.control.int_ctl & VMCB_V_IRQ, 0);
}

static void real_exception(const struct l2_row *r)
{
	mode_real(r->code);
	l2_expect("exit", run_at_0(), r->want);
	l2_expect("rip", svm_vmcb.save.rip, r->arg);
}

static void real_shutdown(const struct l2_row *r)
{
	mode_real(r->code);
	svm_vmcb.control.intercept[VMCB_EXIT_EXCEPTION / 32] = 0;
	svm_vmcb.save.idtr.limit = 0;
	l2_expect("exit", run_at_0(), VMCB_EXIT_SHUTDOWN);
}

static void virtual_8086(const struct l2_row *r)
{
	struct vmcb_save *s = &svm_vmcb.save;

	mode_real(r->code);
	mode_no_paging(CR0_PE);
	mode_segments(CODE_V86, DATA_V86);
	s->cs.base = TRIP_CODE;
	s->cs.selector = SEL_REAL;
	s->cs.limit = 0xffff;
	s->cpl = 3;
	s->rflags |= RFLAGS_VM;
	memcpy((void *)TRIP_CODE, (void *)r->code, 32);
	l2_expect("exit", run_at_0(), VMCB_EXIT_VMMCALL);
	l2_expect("ecx", svm_regs.rcx, 0x34567812);
	l2_expect("cpl", s->cpl, 3);
}

static const struct l2_row real_rows[] = {
	L2_ROW("real-runs", real_runs, real_alu),
	L2_ROW("real-cpl-3", real_runs, real_alu, .arg = 3),
	L2_ROW("real-stores", real_stores, real_store),
	L2_ROW("real-stores-remapped", real_stores, real_store,
	       .arg = PAGE_SIZE),
	L2_ROW("real-npf", real_npf, real_store),
	L2_ROW("real-int", real_interrupt, real_int, .want = 2),
	L2_ROW("real-ud", real_interrupt, real_ud2),
	L2_ROW("real-inject-intr", real_interrupt, real_nop,
	       .arg = VMCB_EVENT_VALID | VMCB_EVENT_INTR | VECTOR_INT),
	L2_ROW("real-inject-ud", real_interrupt, real_nop,
	       .arg = VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION | VECTOR_UD),
	L2_ROW("real-virq", real_virtual, real_nop),
	L2_ROW("real-ud-exits", real_exception, real_ud2,
	       .want = EXIT_OF(VECTOR_UD)),
	L2_ROW("real-limit", real_exception, real_limit, .arg = 3,
	       .want = EXIT_OF(VECTOR_GP)),
	L2_ROW("real-shutdown", real_shutdown, real_int),
	L2_ROW("v86-runs", virtual_8086, real_alu),
};

const struct l2_table mode_real_rows = L2_TABLE(real_rows);

/* Through all modes *********************************************************/

static const struct {
	u64 cr0, cr4, efer;
	u16 code;
} stages[TRIP_STAGES] = {
	{0, 0, 0, 0},
	{CR0_PE, 0, 0, VMCB_SEGMENT_BIG},
	{CR0_PE | CR0_PG, CR4_PSE, 0, VMCB_SEGMENT_BIG},
	{CR0_PE | CR0_PG, CR4_PAE, 0, VMCB_SEGMENT_BIG},
	{CR0_PE | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA, VMCB_SEGMENT_LONG},
	{CR0_PE | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA, VMCB_SEGMENT_BIG},
	{CR0_PE, 0, 0, VMCB_SEGMENT_BIG},
	{0, 0, 0, 0},
};

static void prepare_trip(void)
{
	u64 cr3 = svm_vmcb.save.cr3;

	mode_protected();
	mode_paging32();
	mode_pae();
	memcpy((void *)TRIP_PML4, (void *)cr3, PAGE_SIZE);
	memset((void *)TRIP_DATA, 0, TRIP_STAGES);
	memset((void *)TRIP_LOW, 0, TRIP_STAGES);
	memcpy((void *)TRIP_CODE, svm_trip, (size_t)(svm_trip_end - svm_trip));
	mode_real(svm_handler);
	memcpy((void *)TRIP_CODE, svm_trip, (size_t)(svm_trip_end - svm_trip));
	svm_vmcb.save.cs.base = 0;
	svm_vmcb.save.cs.selector = 0;
}

static void expect_bytes(void)
{
	for (unsigned i = 0; i < TRIP_STAGES; i++)
		l2_expect("byte", ((u8 *)TRIP_DATA)[i] | ((u8 *)TRIP_LOW)[i],
			  i + 1);
}

static void trip(const struct l2_row *r)
{
	for (u64 turn = 0; turn < r->arg; turn++) {
		svm_reset();
		prepare_trip();
		l2_expect("exit", l2_run((svm_code *)TRIP_CODE),
			  VMCB_EXIT_VMMCALL);
		expect_bytes();
	}
}

/* What L1 sees of L2 at the CPUID of stage .arg. */
static void trip_stage(const struct l2_row *r)
{
	const struct vmcb_save *s = &svm_vmcb.save;
	u64 at = TRIP_CODE;

	prepare_trip();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	for (u64 i = 0; i <= r->arg; i++) {
		if (!l2_expect("exit", l2_run((svm_code *)at), VMCB_EXIT_CPUID))
			return;
		at = s->rip + 2;
	}
	l2_expect("stage", svm_regs.rsi, r->arg + 1);
	l2_expect("cr0", s->cr0 & (CR0_PE | CR0_PG), stages[r->arg].cr0);
	l2_expect("cr4", s->cr4, stages[r->arg].cr4);
	l2_expect("efer", s->efer, stages[r->arg].efer | EFER_SVME);
	l2_expect("cs",
		  s->cs.attributes & (VMCB_SEGMENT_BIG | VMCB_SEGMENT_LONG),
		  stages[r->arg].code);
}

/* Each stage an exit, with nothing lost on the way. */
static void trip_with_exits(const struct l2_row *r)
{
	u64 at = TRIP_CODE;
	unsigned exits = 0;

	(void)r;
	prepare_trip();
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_CPUID);
	while (l2_run((svm_code *)at) == VMCB_EXIT_CPUID &&
	       exits <= TRIP_STAGES) {
		at = svm_vmcb.save.rip + 2;
		exits++;
	}
	l2_expect("exits", exits, TRIP_STAGES);
	l2_expect("exit", svm_vmcb.control.exit_code, VMCB_EXIT_VMMCALL);
	expect_bytes();
}

#define STAGE(name, n) L2_ROW("trip-" name, trip_stage, NULL, .arg = (n)-1)

static const struct l2_row trips[] = {
	L2_ROW("trip", trip, NULL, .arg = 1),
	L2_ROW("trip-often", trip, NULL, .arg = 20),
	L2_ROW("trip-with-exits", trip_with_exits, NULL),
	STAGE("real", 1),
	STAGE("protected", 2),
	STAGE("paging32", 3),
	STAGE("pae", 4),
	STAGE("long", 5),
	STAGE("compatibility", 6),
	STAGE("protected-again", 7),
	STAGE("real-again", 8),
};

const struct l2_table mode_trips = L2_TABLE(trips);

int main(const char *cmdline)
{
	const struct l2_table tables[] = {mode_real_rows,  mode_protected_rows,
					  mode_paged_rows, mode_trips,
					  mode_registers,  mode_memory};

	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
