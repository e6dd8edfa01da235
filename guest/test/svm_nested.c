/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested paging, the TLB, VMLOAD and VMSAVE of a guest (APM vol. 2, 15.16,
 * 15.25 and 15.33), on page A of the scratch region.
 */
#include "guest/test/svm_probe.h"

#include "guest/lib/serial.h"
#include "lib/string.h"

#define NPTE_RESERVED (1ull << 51) /* beyond the physical addresses */
#define FILLER	      0xcc
#define VMMCALL_BYTES 0xd9010f

/* RBX = page A */
SVM_CODE(do_read, "mov (%rbx), %rax")
SVM_CODE(do_write, "movb $1, (%rbx)")
SVM_CODE(do_fetch, "jmp *%rbx")
SVM_CODE(do_vmsave, "mov %rbx, %rax; vmsave")
SVM_CODE(do_vmload, "mov %rbx, %rax; vmload")

static u64 exit_at_page_a(const struct probe *p)
{
	svm_regs.rbx = SVM_PAGE_A;
	*(u32 *)SVM_PAGE_A = VMMCALL_BYTES;
	return probe_exit(p);
}

/* Changes page A's entry; prints the error code of the nested page fault. */
static void fault(const struct probe *p)
{
	u64 *entry = svm_npte(SVM_PAGE_A), code;

	*entry = (*entry | p->set) & ~p->clear;
	code = exit_at_page_a(p);
	if (code == VMCB_EXIT_NPF)
		probe_number(svm_vmcb.control.exit_info_1);
	else
		probe_print_exit(code, VMCB_EXIT_NPF, "");
}

static void fault_address(const struct probe *p)
{
	*svm_npte(SVM_PAGE_A) = 0;
	exit_at_page_a(p);
	probe_number(svm_vmcb.control.exit_info_2 - SVM_PAGE_A);
}

/* The root of the guest's own page tables is not mapped. */
static void table_fault(const struct probe *p)
{
	u64 *entry = svm_npte(SVM_PAGE_A), code;

	memcpy((void *)SVM_PAGE_A, (void *)svm_vmcb.save.cr3, PAGE_SIZE);
	svm_vmcb.save.cr3 = SVM_PAGE_A;
	*entry = (*entry | p->set) & ~p->clear;
	code = probe_exit(p);
	if (code == VMCB_EXIT_NPF)
		probe_number(svm_vmcb.control.exit_info_1);
	else
		probe_print_exit(code, VMCB_EXIT_NPF, "");
}

static void accessed(const struct probe *p)
{
	u64 entry;

	exit_at_page_a(p);
	entry = *svm_npte(SVM_PAGE_A);
	serial_printf("a%u-d%u", !!(entry & PTE_ACCESSED),
		      !!(entry & PTE_DIRTY));
}

/* Does the guest see a new nested mapping, without more than tlb_control? */
static void flush(const struct probe *p)
{
	exit_at_page_a(p);
	*(u64 *)SVM_PAGE_A = 'A';
	*(u64 *)SVM_PAGE_B = 'B';
	*svm_npte(SVM_PAGE_A) += PAGE_SIZE;
	svm_vmcb.control.tlb_control = (u8)p->arg;
	probe_exit(p);
	probe_say(svm_vmcb.save.rax == 'B' ? "fresh" : "stale");
}

static bool is_filler(u64 page)
{
	const u8 *bytes = (const u8 *)page;

	for (unsigned i = 0; i < PAGE_SIZE; i++)
		if (bytes[i] != FILLER)
			return false;
	return true;
}

/* Guest-physical page A is page B: which one does a free VMSAVE write? */
static void saves_to(const struct probe *p)
{
	u64 code;

	svm_vmcb.control.virt_ext = p->arg;
	svm_regs.rbx = SVM_PAGE_A;
	memset((void *)SVM_PAGE_A, FILLER, SVM_PAGE_B + PAGE_SIZE - SVM_PAGE_A);
	*svm_npte(SVM_PAGE_A) += PAGE_SIZE;
	code = probe_exit(p);
	if (code != VMCB_EXIT_VMMCALL)
		probe_print_exit(code, VMCB_EXIT_VMSAVE, "forced-exit");
	else if (!is_filler(SVM_PAGE_A))
		probe_say("host-physical");
	else
		probe_say(is_filler(SVM_PAGE_B) ? "nowhere" : "guest-physical");
}

/* The same for VMLOAD, seen in KernelGSBase. */
static void loads_from(const struct probe *p)
{
	const struct vmcb_save empty = {0};
	u64 code;

	svm_vmcb.control.virt_ext = p->arg;
	svm_regs.rbx = SVM_PAGE_A;
	((struct vmcb *)SVM_PAGE_A)->save = empty;
	((struct vmcb *)SVM_PAGE_B)->save = empty;
	((struct vmcb *)SVM_PAGE_A)->save.kernel_gs_base = 'A';
	((struct vmcb *)SVM_PAGE_B)->save.kernel_gs_base = 'B';
	*svm_npte(SVM_PAGE_A) += PAGE_SIZE;
	code = probe_exit(p);
	__asm__ volatile("vmsave" : : "a"(&svm_vmcb) : "memory");
	if (code != VMCB_EXIT_VMMCALL)
		probe_print_exit(code, VMCB_EXIT_VMLOAD, "forced-exit");
	else if (svm_vmcb.save.kernel_gs_base == 'A')
		probe_say("host-physical");
	else
		probe_say(svm_vmcb.save.kernel_gs_base == 'B' ? "guest-physical"
							      : "nowhere");
}

static const struct probe probes[] = {
	PROBE("npf-read-absent", "0x100000004", fault, do_read,
	      .clear = PTE_PRESENT),
	PROBE("npf-write-absent", "0x100000006", fault, do_write,
	      .clear = PTE_PRESENT),
	PROBE("npf-fetch-absent", "0x100000014", fault, do_fetch,
	      .clear = PTE_PRESENT),
	PROBE("npf-write-readonly", "0x100000007", fault, do_write,
	      .clear = PTE_WRITE),
	PROBE("npf-read-supervisor", "0x100000005", fault, do_read,
	      .clear = PTE_USER),
	PROBE("npf-fetch-nx", "0x100000015", fault, do_fetch, .set = NPTE_NX),
	PROBE("npf-read-reserved", "0x10000000d", fault, do_read,
	      .set = NPTE_RESERVED),
	PROBE("npf-write-reserved", "0x10000000f", fault, do_write,
	      .set = NPTE_RESERVED),
	PROBE("npf-address", "0x0", fault_address, do_read),
	PROBE("npf-table-absent", "0x200000006", table_fault, NULL,
	      .clear = PTE_PRESENT),
	PROBE("npf-table-readonly", "0x200000007", table_fault, NULL,
	      .clear = PTE_WRITE),
	PROBE("npt-bits-untouched", "a0-d0", accessed, NULL),
	PROBE("npt-bits-read", "a1-d0", accessed, do_read),
	PROBE("npt-bits-write", "a1-d1", accessed, do_write),
	PROBE("tlb-control-0", "any", flush, do_read, .arg = VMCB_TLB_KEEP),
	PROBE("tlb-control-1", "fresh", flush, do_read,
	      .arg = VMCB_TLB_FLUSH_ALL),
	PROBE("tlb-control-3", "fresh", flush, do_read,
	      .arg = VMCB_TLB_FLUSH_ASID),
	PROBE("tlb-control-7", "fresh", flush, do_read,
	      .arg = VMCB_TLB_FLUSH_LOCAL),
	PROBE("tlb-control-2", "reserved", flush, do_read, .arg = 2),
	PROBE("free-vmsave", "host-physical", saves_to, do_vmsave),
	PROBE("free-vmsave-vls", "guest-physical", saves_to, do_vmsave,
	      .arg = VMCB_VLS),
	PROBE("free-vmload", "host-physical", loads_from, do_vmload),
	PROBE("free-vmload-vls", "guest-physical", loads_from, do_vmload,
	      .arg = VMCB_VLS),
};

const struct probe_table probe_nested = {probes, ARRAY_SIZE(probes)};
