/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What VMRUN loads, and what #VMEXIT saves of L2, restores of L1 and leaves
 * alone (AMD APM vol. 2, 15.5.1 and 15.6).
 */
#include "guest/test/svm_vmrun.h"

#include "guest/lib/apic.h"
#include "guest/lib/idt.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define TSC_FAR	    0x1000000000ull
#define TSC_SLACK   100000000ull
#define VECTOR_SELF 0xe1
#define DR7_RESET   0x400

/* Each changes one register; RBX = page A. */
SVM_CODE(set_cr0, "mov %cr0, %rbx; xor $0x40002, %rbx; mov %rbx, %cr0")
SVM_CODE(set_cr3, "mov %rbx, %cr3")
SVM_CODE(set_cr4, "mov %cr4, %rbx; xor $0x8, %rbx; mov %rbx, %cr4")
SVM_CODE(set_cr2, "mov %rbx, %cr2")
SVM_CODE(set_efer, "mov $0xc0000080, %ecx; rdmsr; xor $1, %eax; wrmsr")
SVM_CODE(set_rflags, "std; stc")
SVM_CODE(set_rsp, "sub $0x40, %rsp")
SVM_CODE(set_rax, "mov %rbx, %rax")
SVM_CODE(set_gdtr, "lgdt (%rbx)")
SVM_CODE(set_idtr, "lidt (%rbx)")
SVM_CODE(set_ds, "mov $0x18, %eax; mov %eax, %ds")
SVM_CODE(set_es, "mov $0x18, %eax; mov %eax, %es")
SVM_CODE(set_ss, "xor %eax, %eax; mov %eax, %ss")
SVM_CODE(set_dr6, "mov $0xffff0ff1, %eax; mov %rax, %dr6")
SVM_CODE(set_dr7, "mov $0x450, %eax; mov %rax, %dr7")
SVM_CODE(set_pat, "mov $0x277, %ecx; rdmsr; xor $0x0101, %eax; wrmsr")
SVM_CODE(set_nothing, "nop")
SVM_CODE(set_gprs, "not %rax; not %rbx; not %rcx; not %rdx; not %rsi;"
		   "not %rdi; not %rbp; not %r8; not %r9; not %r10;"
		   "not %r11; not %r12; not %r13; not %r14; not %r15")

/* Each tells in RBX what it finds. */
SVM_CODE(get_cr0, "mov %cr0, %rbx")
SVM_CODE(get_cr2, "mov %cr2, %rbx")
SVM_CODE(get_cr3, "mov %cr3, %rbx")
SVM_CODE(get_cr4, "mov %cr4, %rbx")
SVM_CODE(get_dr6, "mov %dr6, %rbx")
SVM_CODE(get_dr7, "mov %dr7, %rbx")
SVM_CODE(get_rflags, "pushf; pop %rbx")
SVM_CODE(get_rsp, "mov %rsp, %rbx")
SVM_CODE(get_rax, "mov %rax, %rbx")
SVM_CODE(get_cs, "mov %cs, %ebx")
SVM_CODE(get_ds, "mov %ds, %ebx")
SVM_CODE(get_es, "mov %es, %ebx")
SVM_CODE(get_ss, "mov %ss, %ebx")
SVM_CODE(get_gdtr, "sub $16, %rsp; sgdt (%rsp); mov 2(%rsp), %rbx")
SVM_CODE(get_gdtr_limit, "sub $16, %rsp; sgdt (%rsp); movzwl (%rsp), %ebx")
SVM_CODE(get_idtr, "sub $16, %rsp; sidt (%rsp); mov 2(%rsp), %rbx")
SVM_CODE(get_idtr_limit, "sub $16, %rsp; sidt (%rsp); movzwl (%rsp), %ebx")
SVM_CODE(get_efer, "mov $0xc0000080, %ecx; rdmsr; mov %eax, %ebx")
SVM_CODE(get_pat, "mov $0x277, %ecx; rdmsr; shl $32, %rdx;"
		  "lea (%rdx, %rax), %rbx")
SVM_CODE(get_tsc, "rdtsc; shl $32, %rdx; lea (%rdx, %rax), %rbx")
SVM_CODE(get_tsc_msr, "mov $0x10, %ecx; rdmsr; shl $32, %rdx;"
		      "lea (%rdx, %rax), %rbx")
SVM_CODE(get_tsc_p, "rdtscp; shl $32, %rdx; lea (%rdx, %rax), %rbx")
SVM_CODE(get_dr0, "mov %dr0, %rbx; mov $0x5678, %eax; mov %rax, %dr0")

/* .want bits of the field at .arg are compared. */
static u64 field(const struct l2_row *r)
{
	return *(u64 *)((u64)&svm_vmcb + r->arg) & r->want;
}

/* A table and a pointer to it at once: both are only looked at. */
static u64 run_changer(svm_code *code)
{
	struct table_pointer *p = (struct table_pointer *)SVM_PAGE_A;

	memcpy((void *)SVM_PAGE_A, (void *)svm_vmcb.save.cr3, PAGE_SIZE);
	if (code == set_gdtr || code == set_idtr)
		*p = (struct table_pointer){0x7f, SVM_PAGE_B};
	svm_regs.rbx = SVM_PAGE_A;
	return l2_run(code);
}

/* L2 changes the field's bits .set; those of .clear are replaced by it. */
static void saves(const struct l2_row *r)
{
	u64 want = (field(r) & ~r->clear) ^ r->set;

	l2_expect("exit code", run_changer(r->code), VMCB_EXIT_VMMCALL);
	l2_expect("saved", field(r), want);
}

static void restores(const struct l2_row *r)
{
	const struct l1_state before = l1_state();
	u64 pat = rdmsr(MSR_PAT);

	l2_expect("exit code", run_changer(r->code), VMCB_EXIT_VMMCALL);
	l1_expect_same(&before);
	l2_expect("L1's PAT", rdmsr(MSR_PAT), pat);
	idt_load();
}

/* The field's bits .set are toggled, and L2 sees them: all of .want. */
static void loads(const struct l2_row *r)
{
	u64 *at = (u64 *)((u64)&svm_vmcb + r->arg), want;

	*at = (*at & ~r->clear) ^ r->set;
	want = field(r);
	if (r->want == 0xffffffff00000000ull) /* a table's limit */
		want >>= 32;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("loaded", svm_regs.rbx & (r->want | want), want);
}

static void loads_offset(const struct l2_row *r)
{
	u64 before = rdtsc(), seen, after;

	svm_vmcb.control.tsc_offset = r->set;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	after = rdtsc();
	seen = svm_regs.rbx - r->set;
	l2_expect("not before VMRUN", seen < before, 0);
	l2_expect("not after #VMEXIT", seen > after, 0);
	l2_expect("L1's TSC goes on", after - before < TSC_SLACK, 1);
}

static void keeps_dr0(const struct l2_row *r)
{
	u64 dr0;

	__asm__ volatile("mov %0, %%dr0" : : "r"(0x1234ull));
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	__asm__ volatile("mov %%dr0, %0" : "=r"(dr0));
	clear_debug_addresses();
	l2_expect("L2 sees L1's DR0", svm_regs.rbx, 0x1234);
	l2_expect("L1 sees L2's DR0", dr0, 0x5678);
}

/* RBX RCX RDX RSI RBP R8..R15 RDI, then RAX */
enum { GPRS = 15, GPR_RAX = 14 };
static u64 gprs[GPRS];

/* RDI = gprs, RSI = the VMCB */
void svm_run_gprs(u64 *all, u64 pa);
__asm__("svm_run_gprs:\n\t"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; "
	"push %r15; push %rdi; mov %rsi, %rax; mov (%rdi), %rbx; "
	"mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; "
	"mov 24(%rdi), %rsi; mov 32(%rdi), %rbp; "
	"mov 40(%rdi), %r8; mov 48(%rdi), %r9; mov 56(%rdi), %r10; "
	"mov 64(%rdi), %r11; mov 72(%rdi), %r12; "
	"mov 80(%rdi), %r13; mov 88(%rdi), %r14; "
	"mov 96(%rdi), %r15; mov 104(%rdi), %rdi; vmrun; "
	"xchg %rdi, (%rsp); mov %rbx, (%rdi); mov %rcx, 8(%rdi); "
	"mov %rdx, 16(%rdi); mov %rsi, 24(%rdi); "
	"mov %rbp, 32(%rdi); mov %r8, 40(%rdi); mov %r9, 48(%rdi); "
	"mov %r10, 56(%rdi); mov %r11, 64(%rdi); "
	"mov %r12, 72(%rdi); mov %r13, 80(%rdi); "
	"mov %r14, 88(%rdi); mov %r15, 96(%rdi); pop %rbx; "
	"mov %rbx, 104(%rdi); mov %rax, 112(%rdi); pop %r15; "
	"pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret");

/* L2 gets L1's registers and L1 gets L2's, but for RAX, which is switched. */
static void switches_gprs(const struct l2_row *r)
{
	const u64 unit = 0x0123456789abcdefull;

	for (unsigned i = 0; i < GPRS; i++)
		gprs[i] = unit * (i + 1);
	svm_vmcb.save.rip = (u64)r->code;
	svm_vmcb.save.rax = unit;
	svm_run_gprs(gprs, (u64)&svm_vmcb);
	svm_stgi();
	for (unsigned i = 0; i < GPR_RAX; i++)
		l2_expect("register", gprs[i], ~(unit * (i + 1)));
	l2_expect("L1's RAX", gprs[GPR_RAX], (u64)&svm_vmcb);
	l2_expect("L2's RAX", svm_vmcb.save.rax, ~unit);
}

static volatile unsigned selfs;

static void on_self(struct trap_frame *f)
{
	(void)f;
	selfs++;
	apic_eoi();
}

/* An interrupt after #VMEXIT waits for STGI, whatever IF is. */
static void exit_clears_gif(const struct l2_row *r)
{
	apic_init();
	idt_handle(VECTOR_SELF, on_self);
	selfs = 0;
	svm_vmcb.save.rip = (u64)r->code;
	svm_run_raw();
	apic_send(apic_id(), ICR_ASSERT | ICR_FIXED | VECTOR_SELF);
	sti_nop();
	l2_expect("interrupts before STGI", selfs, 0);
	__asm__ volatile("stgi; nop" : : : "memory");
	l2_expect("interrupts after STGI", selfs, 1);
	cli();
}

/* The VMCB's bytes from .arg to .set are as they were, whatever they were. */
static void leaves(const struct l2_row *r)
{
	static u8 before[PAGE_SIZE];
	const u8 *now = (const u8 *)&svm_vmcb;

	if (r->want)
		memset((u8 *)&svm_vmcb + r->arg, (int)r->want, r->set - r->arg);
	memcpy(before, now, PAGE_SIZE);
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	for (u64 i = r->arg; i < r->set; i++)
		if (!l2_expect("byte", i << 8 | now[i], i << 8 | before[i]))
			return;
}

static void clears_event(const struct l2_row *r)
{
	svm_vmcb.control.event_inj = 0x12345678ull & ~VMCB_EVENT_VALID;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("valid", svm_vmcb.control.event_inj & VMCB_EVENT_VALID, 0);
	l2_expect("EXITINTINFO valid",
		  svm_vmcb.control.exit_int_info & VMCB_EVENT_VALID, 0);
}

#define ALL	 .want = ~0ull
#define AT(name) .arg = offsetof(struct vmcb, name)
#define CHANGE(name, insn, ...)                          \
	L2_ROW("saves-" name, saves, insn, __VA_ARGS__), \
		L2_ROW("restores-" name, restores, insn)
#define LOADS(name, insn, ...) L2_ROW("loads-" name, loads, insn, __VA_ARGS__)
#define LEAVES(name, from, to, ...)                 \
	L2_ROW("leaves-" name, leaves, set_nothing, \
	       .arg = offsetof(struct vmcb, from),  \
	       .set = offsetof(struct vmcb, to), __VA_ARGS__)
#define SELECTOR .want = 0xffff
#define LIMIT	 .want = 0xffffffff00000000ull

static const struct l2_row rows[] = {
	CHANGE("cr0", set_cr0, AT(save.cr0), ALL, .set = 0x40002),
	CHANGE("cr3", set_cr3, AT(save.cr3), ALL, .clear = ~0ull,
	       .set = SVM_PAGE_A),
	CHANGE("cr4", set_cr4, AT(save.cr4), ALL, .set = 8),
	CHANGE("cr2", set_cr2, AT(save.cr2), ALL, .clear = ~0ull,
	       .set = SVM_PAGE_A),
	CHANGE("efer", set_efer, AT(save.efer), ALL, .set = EFER_SCE),
	CHANGE("rflags", set_rflags, AT(save.rflags), ALL,
	       .set = RFLAGS_DF | 1),
	CHANGE("rsp", set_rsp, AT(save.rsp), ALL, .clear = ~0ull,
	       .set = SVM_GUEST_STACK - 0x40),
	CHANGE("rax", set_rax, AT(save.rax), ALL, .clear = ~0ull,
	       .set = SVM_PAGE_A),
	CHANGE("gdtr", set_gdtr, AT(save.gdtr.base), ALL, .clear = ~0ull,
	       .set = SVM_PAGE_B),
	CHANGE("gdtr-limit", set_gdtr, AT(save.gdtr), LIMIT, .clear = ~0ull,
	       .set = 0x7full << 32),
	CHANGE("idtr", set_idtr, AT(save.idtr.base), ALL, .clear = ~0ull,
	       .set = SVM_PAGE_B),
	CHANGE("idtr-limit", set_idtr, AT(save.idtr), LIMIT, .clear = ~0ull,
	       .set = 0x7full << 32),
	CHANGE("ds", set_ds, AT(save.ds), SELECTOR, .set = 0x08),
	CHANGE("es", set_es, AT(save.es), SELECTOR, .set = 0x08),
	CHANGE("ss", set_ss, AT(save.ss), SELECTOR, .set = 0x10),
	CHANGE("cs", set_nothing, AT(save.cs), .want = 0x60ffff),
	CHANGE("dr6", set_dr6, AT(save.dr6), ALL, .set = 1),
	CHANGE("dr7", set_dr7, AT(save.dr7), ALL, .set = 0x50),
	CHANGE("pat", set_pat, AT(save.g_pat), ALL, .set = 0x0101),
	LOADS("cr0", get_cr0, AT(save.cr0), ALL, .set = 0x40002),
	LOADS("cr2", get_cr2, AT(save.cr2), ALL, .set = 0xfedcba987654),
	LOADS("cr3", get_cr3, AT(save.cr3), ALL, .set = 0x18),
	LOADS("cr4", get_cr4, AT(save.cr4), ALL, .set = 0x8),
	LOADS("dr6", get_dr6, AT(save.dr6), ALL, .set = 0xf),
	LOADS("dr7", get_dr7, AT(save.dr7), ALL, .set = 0x50),
	LOADS("rflags", get_rflags, AT(save.rflags), ALL, .set = 0x2c4cd5),
	LOADS("rsp", get_rsp, AT(save.rsp), ALL, .set = 0x18),
	LOADS("rax", get_rax, AT(save.rax), ALL, .set = 0xfedcba9876543210),
	LOADS("cs", get_cs, AT(save.cs), SELECTOR, .set = 0x10),
	LOADS("ds", get_ds, AT(save.ds), SELECTOR, .set = 0x1230),
	LOADS("es", get_es, AT(save.es), SELECTOR, .set = 0x1240),
	LOADS("ss", get_ss, AT(save.ss), SELECTOR, .set = 0x1250),
	LOADS("gdtr", get_gdtr, AT(save.gdtr.base), ALL, .set = 0x123450),
	LOADS("gdtr-limit", get_gdtr_limit, AT(save.gdtr), LIMIT,
	      .set = 0x123ull << 32),
	LOADS("idtr", get_idtr, AT(save.idtr.base), ALL, .set = 0x123450),
	LOADS("idtr-limit", get_idtr_limit, AT(save.idtr), LIMIT,
	      .set = 0x123ull << 32),
	LOADS("efer", get_efer, AT(save.efer), ALL, .set = EFER_SCE),
	LOADS("pat", get_pat, AT(save.g_pat), ALL, .set = 0x0101),
	L2_ROW("tsc-offset", loads_offset, get_tsc, .set = TSC_FAR),
	L2_ROW("tsc-offset-negative", loads_offset, get_tsc, .set = -TSC_FAR),
	L2_ROW("tsc-offset-0", loads_offset, get_tsc),
	L2_ROW("tsc-offset-rdtscp", loads_offset, get_tsc_p, .set = TSC_FAR),
	L2_ROW("tsc-offset-rdmsr", loads_offset, get_tsc_msr, .set = TSC_FAR),
	L2_ROW("keeps-dr0", keeps_dr0, get_dr0),
	L2_ROW("switches-gprs", switches_gprs, set_gprs),
	L2_ROW("exit-clears-gif", exit_clears_gif, NULL),
	L2_ROW("exit-clears-event", clears_event, set_nothing),
	LEAVES("intercepts", control.intercept, control.reserved_0x018),
	LEAVES("control", control.pause_filter_threshold, control.tlb_control),
	LEAVES("nested-control", control.np_control, control.event_inj),
	LEAVES("ncr3", control.ncr3, control.clean),
	LEAVES("software", control.software, save, .want = 0x5a),
	LEAVES("fs-gs", save.fs, save.gdtr, .want = 0x5a),
	LEAVES("ldtr", save.ldtr, save.idtr, .want = 0x5a),
	LEAVES("tr", save.tr, save.reserved_0x0a0, .want = 0x5a),
	LEAVES("star-to-sysenter", save.star, save.cr2, .want = 0x5a),
};

const struct l2_table vmrun_state = L2_TABLE(rows);
