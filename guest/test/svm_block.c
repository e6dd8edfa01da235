/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's own memory as all that SVM has an address for: for L1 and its guest
 * there is none, it reads as ones and writes vanish. Where L0 would have to
 * fetch code there, or to walk page tables, L2 gets #GP (doc/caveats.md). After
 * each row L0 has to be unchanged. On nestbox.elf only; elsewhere there are no
 * rows.
 */
#include "guest/lib/idt.h"
#include "guest/lib/nestbox.h"
#include "guest/lib/serial.h"
#include "guest/test/svm_guest.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"

#define EXIT_OF(v) (VMCB_EXIT_EXCEPTION + (v))
#define ONES	   (~0ull)

int main(const char *cmdline);

static u64 block, block_end;

SVM_CODE(do_read, "mov (%rbx), %rcx")
SVM_CODE(do_write, "movq $0x5511, (%rbx); mov (%rbx), %rcx")
SVM_CODE(do_jump, "jmp *%rbx")
SVM_CODE(do_rdmsr, "mov $0xc0000080, %ecx; rdmsr")
SVM_CODE(do_in, "in $0x80, %al")
SVM_CODE(do_vmload, "mov %rbx, %rax; vmload")
SVM_CODE(do_vmsave, "mov %rbx, %rax; vmsave")

/* The first page, the last one, and one in between. */
static u64 page(unsigned which)
{
	const u64 pages[] = {block, block_end - PAGE_SIZE,
			     block + (block_end - block) / 2};

	return pages[which % ARRAY_SIZE(pages)] & ~(PAGE_SIZE - 1ull);
}
#define PAGES 3u

static void expect_l0_same(void)
{
	struct nestbox_call c = {.rax = HYPERCALL_SEAL};
	u64 token[2];

	l2_expect("token", nestbox_token(token), true);
	c.rbx = token[0];
	c.rcx = token[1];
	nestbox_call(&c);
	l2_expect("L0's text", c.rax, 0);
	for (unsigned i = 0; i < PAGES; i++)
		l2_expect("L0's memory", *(volatile u64 *)page(i), ONES);
}

/* L1's own operands *********************************************************/

static void run_vmload(void *pa)
{
	vmload((u64)pa);
}

static void run_vmsave(void *pa)
{
	vmsave((u64)pa);
}

/* #GP: an address that the machine does not have (15.5.1, 15.5.2). */
static void operand(const struct l2_row *r)
{
	for (unsigned i = 0; i < PAGES; i++) {
		void *pa = (void *)page(i);
		int trap;

		if (r->arg == VMCB_EXIT_VMRUN)
			trap = svm_run_at((u64)pa);
		else
			trap = trap_try(r->arg == VMCB_EXIT_VMLOAD ? run_vmload
								   : run_vmsave,
					pa);
		l2_expect("trap", (u64)trap, VECTOR_GP);
	}
	expect_l0_same();
}

/* L0 has no use for the host save area of L1's. */
static void host_save(const struct l2_row *r)
{
	u64 old = rdmsr(MSR_VM_HSAVE_PA);
	const struct l1_state before = l1_state();

	(void)r;
	wrmsr(MSR_VM_HSAVE_PA, page(0));
	l2_expect_exit(NULL, VMCB_EXIT_VMMCALL);
	l1_expect_same(&before);
	wrmsr(MSR_VM_HSAVE_PA, old);
	expect_l0_same();
}

/* A map that cannot be read asks for all exits. */
static void map(const struct l2_row *r)
{
	for (unsigned i = 0; i < PAGES; i++) {
		svm_reset();
		vmcb_intercept(&svm_vmcb, (u32)r->want);
		if (r->want == VMCB_EXIT_MSR)
			svm_vmcb.control.msrpm_pa = page(i);
		else
			svm_vmcb.control.iopm_pa = page(i);
		l2_expect_exit(r->code, r->want);
	}
	expect_l0_same();
}

static const struct l2_row operands[] = {
	L2_ROW("vmrun-block", operand, NULL, .arg = VMCB_EXIT_VMRUN),
	L2_ROW("vmload-block", operand, NULL, .arg = VMCB_EXIT_VMLOAD),
	L2_ROW("vmsave-block", operand, NULL, .arg = VMCB_EXIT_VMSAVE),
	L2_ROW("hsave-block", host_save, NULL),
	L2_ROW("msrpm-block", map, do_rdmsr, .want = VMCB_EXIT_MSR),
	L2_ROW("iopm-block", map, do_in, .want = VMCB_EXIT_IOIO),
};

/* L1's nested tables ********************************************************/

/* L2's access to a page that L1 maps to L0's memory: .want is the exit. */
static void access(const struct l2_row *r)
{
	for (unsigned i = 0; i < PAGES; i++) {
		svm_reset();
		target_reset();
		*target_entry(CHAIN_A, LEVEL_PT) = page(i) | NPTE_ALL;
		svm_regs.rbx = TARGET_PAGE;
		l2_expect_exit(r->code, r->want);
		if (r->want == VMCB_EXIT_VMMCALL)
			l2_expect("read", svm_regs.rcx, ONES);
	}
	expect_l0_same();
}

/* By a large page, which maps more than L0's memory. */
static void access_large(const struct l2_row *r)
{
	target_reset();
	*target_entry(CHAIN_A, LEVEL_PD) =
		(page(2) & -(u64)LARGE_PAGE_SIZE) | PTE_LARGE | NPTE_ALL;
	svm_regs.rbx = TARGET_PAGE;
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
	l2_expect("read", svm_regs.rcx, ONES);
	expect_l0_same();
}

/* A nested table there: no entry of it is to be used, or written to. */
static void table(const struct l2_row *r)
{
	target_reset();
	if (r->arg > LEVEL_PML4)
		svm_vmcb.control.ncr3 = page(2);
	else
		*target_entry(CHAIN_A, (unsigned)r->arg) = page(2) | NPTE_ALL;
	svm_regs.rbx = TARGET_PAGE;
	l2_expect_exit(r->code, VMCB_EXIT_NPF);
	expect_l0_same();
}

/* L2's own page tables, through L1's nested ones. */
static void guest_table(const struct l2_row *r)
{
	target_reset();
	*target_entry(CHAIN_A, LEVEL_PT) = page(0) | NPTE_ALL;
	if (r->arg > LEVEL_PML4)
		svm_vmcb.save.cr3 = TARGET_PAGE;
	else
		*target_guest_entry((unsigned)r->arg) = TARGET_PAGE | PTE_TABLE;
	svm_regs.rbx = TARGET_PAGE;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_GP));
	expect_l0_same();
}

/* VMLOAD and VMSAVE of L2, that L1 does not intercept: at L1's address, or by
 * the nested tables. */
static void load(const struct l2_row *r)
{
	target_reset();
	*target_entry(CHAIN_A, LEVEL_PT) = page(1) | NPTE_ALL;
	svm_vmcb.control.virt_ext = r->arg;
	svm_regs.rbx = r->arg ? TARGET_PAGE : page(1);
	l2_expect_exit(r->code, EXIT_OF(VECTOR_GP));
	expect_l0_same();
}

static const struct l2_row nested[] = {
	L2_ROW("read", access, do_read, .want = VMCB_EXIT_VMMCALL),
	L2_ROW("write", access, do_write, .want = VMCB_EXIT_VMMCALL),
	L2_ROW("fetch", access, do_jump, .want = EXIT_OF(VECTOR_GP)),
	L2_ROW("large-read", access_large, do_read),
	L2_ROW("large-write", access_large, do_write),
	L2_ROW("root", table, NULL, .arg = LEVEL_PML4 + 1),
	L2_ROW("table-pdpt", table, do_read, .arg = LEVEL_PML4),
	L2_ROW("table-pd", table, do_read, .arg = LEVEL_PDPT),
	L2_ROW("table-pt", table, do_read, .arg = LEVEL_PD),
	L2_ROW("guest-root", guest_table, NULL, .arg = LEVEL_PML4 + 1),
	L2_ROW("guest-pdpt", guest_table, do_read, .arg = LEVEL_PML4),
	L2_ROW("guest-pd", guest_table, do_read, .arg = LEVEL_PDPT),
	L2_ROW("l2-vmload", load, do_vmload),
	L2_ROW("l2-vmsave", load, do_vmsave),
	L2_ROW("l2-vmload-virtual", load, do_vmload, .arg = VMCB_VLS,
	       .needs = SVM_VLS),
	L2_ROW("l2-vmsave-virtual", load, do_vmsave, .arg = VMCB_VLS,
	       .needs = SVM_VLS),
};

/* L1 without nested paging **************************************************/

/* The large page of L2's own tables lies over L0's memory. */
static void flat_access(const struct l2_row *r)
{
	target_reset();
	svm_vmcb.control.np_control = 0;
	*target_guest_entry(LEVEL_PD) =
		(page(2) & -(u64)LARGE_PAGE_SIZE) | PTE_LARGE | PTE_TABLE;
	svm_regs.rbx = TARGET_PAGE;
	l2_expect_exit(r->code, r->want);
	if (r->want == VMCB_EXIT_VMMCALL)
		l2_expect("read", svm_regs.rcx, ONES);
	expect_l0_same();
}

static void flat_table(const struct l2_row *r)
{
	target_reset();
	svm_vmcb.control.np_control = 0;
	*target_guest_entry(LEVEL_PDPT) = page(2) | PTE_TABLE;
	svm_regs.rbx = TARGET_PAGE;
	l2_expect_exit(r->code, EXIT_OF(VECTOR_GP));
	expect_l0_same();
}

static void flat_root(const struct l2_row *r)
{
	svm_vmcb.control.np_control = 0;
	svm_vmcb.save.cr3 = page(0);
	l2_expect_exit(r->code, EXIT_OF(VECTOR_GP));
	expect_l0_same();
}

static const struct l2_row flat[] = {
	L2_ROW("flat-read", flat_access, do_read, .want = VMCB_EXIT_VMMCALL),
	L2_ROW("flat-write", flat_access, do_write, .want = VMCB_EXIT_VMMCALL),
	L2_ROW("flat-fetch", flat_access, do_jump, .want = EXIT_OF(VECTOR_UD)),
	L2_ROW("flat-table", flat_table, do_read),
	L2_ROW("flat-root", flat_root, NULL),
};

static const struct l2_table tables[] = {
	L2_TABLE(operands),
	L2_TABLE(nested),
	L2_TABLE(flat),
};

int main(const char *cmdline)
{
	idt_init();
	serial_init();
	if (nestbox_below())
		nestbox_block(&block, &block_end);
	if (!block) {
		serial_printf("1..0 # SKIP not on nestbox.elf\n");
		return 0;
	}
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
