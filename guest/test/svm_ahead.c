/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain instructions around VMLOAD, VMRUN and VMSAVE do what they do
 * anywhere, though a hypervisor below may have learned them (hv/svm/ahead.h):
 * each row has them executed often and alike, changes what they depend on, and
 * has them executed once more.
 */
#include "guest/test/svm_ahead.h"

#include "guest/lib/apic.h"
#include "guest/lib/idt.h"
#include "guest/lib/page.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define OFTEN	   200
#define MSR_STAR   0xc0000081
#define PAGE_ROUND (SVM_SCRATCH + 0x6000)
#define PAGE_INFO  (SVM_SCRATCH + 0x7000)
#define PAGE_SELF  (SVM_SCRATCH + 0x8000)
#define PAGE_HOST  (SVM_SCRATCH + 0x9000)
#define PAGE_STACK (SVM_SCRATCH + 0xb000) /* a fault's frame goes below it */
#define CLEAN_ALL  (VMCB_CLEAN_CR2 - 1)	  /* but CR2 */
#define GPRS	   16
#define RSP	   4
#define DR7_EXEC_0 0x401ull
#define DR7_NONE   0x400ull

int main(const char *cmdline);

static struct vmcb own __attribute__((aligned(PAGE_SIZE)));
static struct vmcb other __attribute__((aligned(PAGE_SIZE)));
static struct round *const turn = (struct round *)PAGE_ROUND;
static struct round_info *const info = (struct round_info *)PAGE_INFO;
static u64 first; /* RCX of L2, as it begins; the others follow */

static struct {
	unsigned count;
	u64 rip, cr2, error;
} seen;

SVM_CODE(count_all, "inc %rcx; inc %rdx; inc %rbx; inc %rbp; inc %rsi;"
		    "inc %rdi; inc %r8; inc %r9; inc %r10; inc %r11;"
		    "inc %r12; inc %r13; inc %r14; inc %r15")
SVM_CODE(do_cpuid, "cpuid")

static void vmsave_to(u64 pa)
{
	__asm__ volatile("vmsave" : : "a"(pa) : "memory");
}

static void vmload_from(u64 pa)
{
	__asm__ volatile("vmload" : : "a"(pa) : "memory");
}

static void set_up(void)
{
	seen.count = 0;
	first = 0x1000;
	vmsave_to((u64)&own);
	vmsave_to(SVM_PAGE_A);
	vmsave_to(SVM_PAGE_B);
	vmsave_to(PAGE_HOST);
	((struct vmcb *)SVM_PAGE_B)->save.star = 0xb0b0b0b000000000;
	((struct vmcb *)PAGE_HOST)->save.star = 0xc0c0c0c000000000;
	memset(turn, 0, sizeof(*turn));
	info->vmcb = (u64)&svm_vmcb;
	turn->block = SVM_PAGE_A;
	turn->info = info;
	turn->host = (u64)&own;
	turn->self = turn;
	turn->flags = RFLAGS_FIXED;
}

static void fill(svm_code *code)
{
	svm_vmcb.save.rip = (u64)code;
	for (unsigned i = 1; i < GPRS; i++)
		turn->gpr[i] = first + i;
}

static void once_in(svm_code *code)
{
	fill(code);
	svm_clgi();
	ahead_round(turn);
	svm_stgi();
}

static void once(void)
{
	once_in(count_all);
}

static void often(void)
{
	for (unsigned i = 0; i < OFTEN; i++)
		once();
}

static void expect_counted(const struct round *r)
{
	for (unsigned i = 1; i < GPRS; i++)
		if (i != RSP &&
		    !l2_expect("register", r->gpr[i], first + i + 1))
			return;
	l2_expect("exit", svm_vmcb.control.exit_code, VMCB_EXIT_VMMCALL);
}

static void registers(const struct l2_row *r)
{
	(void)r;
	set_up();
	often();
	expect_counted(turn);
	first = 0xabc00000000;
	once();
	expect_counted(turn);
}

static void lower_stack(const struct l2_row *r)
{
	set_up();
	often();
	first = 0x2000;
	fill(count_all);
	svm_clgi();
	ahead_round_below(turn, r->arg);
	svm_stgi();
	expect_counted(turn);
	l2_expect("STAR", rdmsr(MSR_STAR), own.save.star);
}

static void make_other(void)
{
	other = svm_vmcb;
	other.save.rip = (u64)do_cpuid;
	vmcb_intercept(&other, VMCB_EXIT_CPUID);
}

/* Another guest, by what the same word says. */
static void other_vmcb(const struct l2_row *r)
{
	(void)r;
	set_up();
	often();
	make_other();
	info->vmcb = (u64)&other;
	once();
	l2_expect("exit", other.control.exit_code, VMCB_EXIT_CPUID);
}

/* By another word. */
static void other_info(const struct l2_row *r)
{
	struct round_info here = {.vmcb = (u64)&other};

	(void)r;
	set_up();
	often();
	make_other();
	turn->info = &here;
	once();
	l2_expect("exit", other.control.exit_code, VMCB_EXIT_CPUID);
}

SVM_CODE(read_star, "mov $0xc0000081, %ecx; rdmsr; mov %rdx, %rsi")

static void other_block(const struct l2_row *r)
{
	(void)r;
	set_up();
	often();
	turn->block = SVM_PAGE_B;
	once_in(read_star);
	l2_expect("L2's STAR", turn->gpr[6], 0xb0b0b0b0);
	l2_expect("L1's STAR", rdmsr(MSR_STAR), own.save.star);
}

static void other_host(const struct l2_row *r)
{
	u64 star;

	(void)r;
	set_up();
	often();
	turn->host = PAGE_HOST;
	once();
	star = rdmsr(MSR_STAR);
	vmload_from((u64)&own);
	expect_counted(turn);
	l2_expect("STAR", star, 0xc0c0c0c000000000);
}

static void other_self(const struct l2_row *r)
{
	struct round *self = (struct round *)PAGE_SELF;

	(void)r;
	set_up();
	often();
	*self = *turn;
	turn->self = self;
	first = 0x3000;
	once();
	expect_counted(self);
	l2_expect("the other's RCX", turn->gpr[1], first + 1);
}

/* The code has been changed: RBX is loaded from R8's place. */
static void other_code(const struct l2_row *r)
{
	(void)r;
	set_up();
	often();
	ahead_rbx[3] = 64;
	cpuid(0, 0);
	once();
	ahead_rbx[3] = 24;
	cpuid(0, 0);
	l2_expect("RBX", turn->gpr[3], first + 8 + 1);
}

/* The entry of a 4 KiB page of L1's. */
static u64 *entry_of(u64 va)
{
	u64 table = read_cr3();

	for (unsigned shift = 39;; shift -= 9) {
		u64 *at = (u64 *)((table & ~0xfffull) +
				  (va >> shift) % PTES_PER_TABLE * 8);

		if (shift == 12)
			return at;
		table = *at;
	}
}

static void on_page_fault(struct trap_frame *f)
{
	seen.count++;
	seen.rip = f->rip;
	seen.error = f->error;
	seen.cr2 = read_cr2();
	page_map(seen.cr2 & ~0xfffull, seen.cr2 & ~0xfffull, PTE_TABLE);
}

/* .arg: the page; .set: its flags in the last round; .want: the error code. */
static void page_changes(const struct l2_row *r, const void *rip, u64 cr2)
{
	trap_handler *before = idt_handle(VECTOR_PF, on_page_fault);
	u64 cr0 = read_cr0();

	write_cr0(cr0 | CR0_WP);
	set_up();
	*(struct round *)PAGE_SELF = *turn;
	turn->self = (struct round *)PAGE_SELF;
	page_map(r->arg, r->arg, PTE_TABLE);
	often();
	page_map(r->arg, r->arg, r->set);
	first = 0x4000;
	once();
	expect_counted(turn->self);
	l2_expect("faults", seen.count, rip != NULL);
	l2_expect("RIP", seen.rip, rip ? (u64)rip : seen.rip);
	l2_expect("CR2", seen.cr2, rip ? cr2 : seen.cr2);
	l2_expect("error", seen.error, rip ? r->want : seen.error);
	l2_expect("entry", *entry_of(r->arg) & r->clear, r->clear);
	write_cr0(cr0);
	idt_handle(VECTOR_PF, before);
}

static void load_faults(const struct l2_row *r)
{
	page_changes(r, ahead_info, PAGE_INFO + 8);
}

static void store_faults(const struct l2_row *r)
{
	page_changes(r, ahead_store, PAGE_SELF + 8);
}

static void notes(const struct l2_row *r)
{
	page_changes(r, NULL, 0);
}

/* What is left of the stack's entry for POP is what L2 leaves. .clear: of it.
 */
SVM_CODE(change_entry, "and %rdx, (%rcx)")

static void once_on_stack(u64 *entry, u64 clear)
{
	fill(change_entry);
	turn->gpr[1] = (u64)entry;
	turn->gpr[2] = ~clear;
	svm_clgi();
	ahead_round_on(turn, PAGE_STACK + ROUND_STACK);
	svm_stgi();
}

/* L1 has no translation of it since VMRUN. */
static void stack_changes(const struct l2_row *r)
{
	trap_handler *before = idt_handle(VECTOR_PF, on_page_fault);
	bool faults = r->clear & PTE_PRESENT;
	u64 *entry;

	set_up();
	page_map(PAGE_STACK, PAGE_STACK, PTE_TABLE);
	entry = entry_of(PAGE_STACK);
	for (unsigned i = 0; i < OFTEN; i++)
		once_on_stack(entry, 0);
	svm_vmcb.control.tlb_control = VMCB_TLB_FLUSH_ALL;
	once_on_stack(entry, r->clear);
	l2_expect("exit", svm_vmcb.control.exit_code, VMCB_EXIT_VMMCALL);
	l2_expect("RCX", turn->gpr[1], (u64)entry);
	l2_expect("STAR", rdmsr(MSR_STAR), own.save.star);
	l2_expect("faults", seen.count, faults);
	l2_expect("RIP", seen.rip, faults ? (u64)ahead_pop : seen.rip);
	l2_expect("CR2", seen.cr2, faults ? PAGE_STACK : seen.cr2);
	l2_expect("error", seen.error, faults ? 0 : seen.error);
	l2_expect("entry", *entry & r->clear, r->clear);
	idt_handle(VECTOR_PF, before);
}

/* L2 reads its CR2 and has another one then. */
SVM_CODE(swap_cr2, "mov %cr2, %rbx; mov %rcx, %cr2")
SVM_CODE(swap_cr2_exit, "mov %cr2, %rbp; mov %rcx, %cr2; mov %rcx, %r8;"
			"cpuid; mov %rbp, %rbx; mov %r8, %rcx")

/* #VMEXIT leaves L1 with L2's CR2 (APM vol. 2, 15.6). .arg: clean bits */
static void swap(const struct l2_row *r, u64 cr2)
{
	svm_vmcb.save.cr2 = cr2;
	svm_vmcb.control.clean = (u32)r->arg;
	__asm__ volatile("mov %0, %%cr2" : : "r"(cr2 + 0x111));
	once_in(r->code);
}

static void cr2(const struct l2_row *r)
{
	set_up();
	once_in(r->code);
	for (unsigned i = 0; i < OFTEN; i++)
		swap(r, 0x1000 + i);
	first = 0x5000;
	swap(r, 0xabc0000);
	l2_expect("exit", svm_vmcb.control.exit_code, VMCB_EXIT_VMMCALL);
	l2_expect("L2's", turn->gpr[3], 0xabc0000);
	l2_expect("in the block", svm_vmcb.save.cr2, first + 1);
	l2_expect("L1's", read_cr2(), first + 1);
}

static void on_debug(struct trap_frame *f)
{
	seen.count++;
	seen.rip = f->rip;
	f->rflags &= ~(u64)RFLAGS_TF;
	__asm__ volatile("mov %0, %%dr7" : : "r"(DR7_NONE));
}

static void expect_debug(const void *rip, trap_handler *before)
{
	idt_handle(VECTOR_DB, before);
	expect_counted(turn);
	l2_expect("traps", seen.count, 1);
	l2_expect("RIP", seen.rip, (u64)rip);
}

static void single_step(const struct l2_row *r)
{
	trap_handler *before = idt_handle(VECTOR_DB, on_debug);

	(void)r;
	set_up();
	often();
	turn->flags |= RFLAGS_TF;
	once();
	expect_debug(ahead_loaded, before);
}

static void breakpoint(const struct l2_row *r)
{
	trap_handler *before = idt_handle(VECTOR_DB, on_debug);

	(void)r;
	set_up();
	often();
	__asm__ volatile("mov %0, %%dr0" : : "r"(ahead_info));
	__asm__ volatile("mov %0, %%dr7" : : "r"(DR7_EXEC_0));
	once();
	expect_debug(ahead_info, before);
}

static void on_interrupt(struct trap_frame *f)
{
	seen.count++;
	seen.rip = f->rip;
	apic_eoi();
}

/* One that waits comes behind VMLOAD, which is in the shadow of STI. */
static void interrupt(const struct l2_row *r)
{
	trap_handler *before = idt_handle(L1_VECTOR, on_interrupt);

	(void)r;
	set_up();
	for (unsigned i = 0; i < OFTEN; i++) {
		fill(count_all);
		svm_clgi();
		ahead_round_sti(turn);
		cli();
		svm_stgi();
	}
	l1_send_interrupt();
	fill(count_all);
	ahead_round_sti(turn);
	cli();
	svm_stgi();
	idt_handle(L1_VECTOR, before);
	expect_counted(turn);
	l2_expect("interrupts", seen.count, 1);
	l2_expect("RIP", seen.rip, (u64)ahead_loaded_sti);
	l1_settle();
}

static const struct l2_row rows[] = {
	L2_ROW("registers", registers, NULL),
	L2_ROW("stack-8-lower", lower_stack, NULL, .arg = 8),
	L2_ROW("stack-512-lower", lower_stack, NULL, .arg = 512),
	L2_ROW("other-vmcb", other_vmcb, NULL),
	L2_ROW("other-info", other_info, NULL),
	L2_ROW("other-block", other_block, NULL),
	L2_ROW("other-host", other_host, NULL),
	L2_ROW("other-self", other_self, NULL),
	L2_ROW("other-code", other_code, NULL),
	L2_ROW("load-faults", load_faults, NULL, .arg = PAGE_INFO),
	L2_ROW("store-faults", store_faults, NULL, .arg = PAGE_SELF, .want = 2),
	L2_ROW("store-read-only", store_faults, NULL, .arg = PAGE_SELF,
	       .set = PTE_PRESENT, .want = 3),
	L2_ROW("load-sets-accessed", notes, NULL, .arg = PAGE_INFO,
	       .set = PTE_TABLE, .clear = PTE_ACCESSED),
	L2_ROW("store-sets-dirty", notes, NULL, .arg = PAGE_SELF,
	       .set = PTE_TABLE | PTE_ACCESSED, .clear = PTE_DIRTY),
	L2_ROW("pop-faults", stack_changes, NULL, .clear = PTE_PRESENT),
	L2_ROW("pop-sets-accessed", stack_changes, NULL, .clear = PTE_ACCESSED),
	L2_ROW("cr2", cr2, swap_cr2),
	L2_ROW("cr2-after-own-exit", cr2, swap_cr2_exit),
	L2_ROW("cr2-others-clean", cr2, swap_cr2, .arg = CLEAN_ALL),
	L2_ROW("single-step", single_step, NULL),
	L2_ROW("breakpoint", breakpoint, NULL),
	L2_ROW("interrupt", interrupt, NULL),
};

int main(const char *cmdline)
{
	const struct l2_table tables[] = {L2_TABLE(rows)};

	idt_init();
	l1_init();
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
