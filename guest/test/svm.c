/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test/svm.h"

#include "lib/cpu.h"
#include "guest/lib/idt.h"
#include "lib/string.h"

#define CPUID_SVM_BIT	0x4
#define PAT_RESET	0x0007040600070406ull
#define DR6_RESET	0xffff0ff0ull
#define DR7_RESET	0x400ull
#define CODE_ATTRIBUTES (0x9b | VMCB_SEGMENT_LONG | 0x800)
#define DATA_ATTRIBUTES 0xc93
#define IOPM_SIZE	0x3000
#define MSRPM_SIZE	0x2000

#define PAGE_ALIGNED __attribute__((aligned(PAGE_SIZE)))

struct vmcb svm_vmcb PAGE_ALIGNED;
struct svm_regs svm_regs;

static u8 host_save[PAGE_SIZE] PAGE_ALIGNED;
static u8 iopm[IOPM_SIZE] PAGE_ALIGNED;
static u8 msrpm[MSRPM_SIZE] PAGE_ALIGNED;
static u64 npml4[PTES_PER_TABLE] PAGE_ALIGNED;
static u64 npdpt[PTES_PER_TABLE] PAGE_ALIGNED;
static u64 npd[IDENTITY_GIB][PTES_PER_TABLE] PAGE_ALIGNED;
static u64 npt[PTES_PER_TABLE] PAGE_ALIGNED;

__attribute__((naked)) void svm_handler(void)
{
	__asm__ volatile("vmmcall");
}

bool svm_init(void)
{
	if (!(cpuid(CPUID_EXT, 0).ecx & CPUID_SVM_BIT))
		return false;
	/* NXE too: the emulator walks nested tables by the host's EFER. */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | EFER_NXE);
	wrmsr(MSR_VM_HSAVE_PA, (u64)host_save);
	memset(iopm, 0xff, sizeof(iopm));
	memset(msrpm, 0xff, sizeof(msrpm));
	return true;
}

u64 *svm_npte(u64 gpa)
{
	return &npt[gpa / PAGE_SIZE % PTES_PER_TABLE];
}

static void reset_npt(void)
{
	npml4[0] = (u64)npdpt | NPTE_ALL;
	for (u64 gib = 0; gib < IDENTITY_GIB; gib++) {
		npdpt[gib] = (u64)npd[gib] | NPTE_ALL;
		for (u64 i = 0; i < PTES_PER_TABLE; i++)
			npd[gib][i] =
				(gib * PTES_PER_TABLE + i) * LARGE_PAGE_SIZE |
				PTE_LARGE | NPTE_ALL;
	}
	for (u64 i = 0; i < PTES_PER_TABLE; i++)
		npt[i] = (SVM_SCRATCH + i * PAGE_SIZE) | NPTE_ALL;
	npd[0][SVM_SCRATCH / LARGE_PAGE_SIZE] = (u64)npt | NPTE_ALL;
}

void svm_gate(u8 vector, svm_code *handler)
{
	((struct idt_gate *)SVM_IDT)[vector] =
		idt_gate(SEL_CODE64, (u64)handler);
}

static void reset_guest_idt(void)
{
	for (unsigned v = 0; v < VECTORS; v++)
		svm_gate((u8)v, svm_handler);
}

static void reset_control(struct vmcb_control *c)
{
	*c = (struct vmcb_control){
		.intercept[VMCB_EXIT_EXCEPTION / 32] = ~0u,
		.iopm_pa = (u64)iopm,
		.msrpm_pa = (u64)msrpm,
		.asid = 1,
		.tlb_control = VMCB_TLB_FLUSH_ALL,
		.np_control = VMCB_NP_ENABLE,
		.ncr3 = (u64)npml4,
	};
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_SHUTDOWN);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VMRUN);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_VMMCALL);
}

static void reset_save(struct vmcb_save *s)
{
	const struct vmcb_segment data = {SEL_DATA, DATA_ATTRIBUTES, ~0u, 0};
	struct table_pointer gdt;

	__asm__ volatile("sgdt %0" : "=m"(gdt));
	*s = (struct vmcb_save){
		.es = data,
		.cs = {SEL_CODE64, CODE_ATTRIBUTES, ~0u, 0},
		.ss = data,
		.ds = data,
		.gdtr = {0, 0, gdt.limit, gdt.base},
		.idtr = {0, 0, VECTORS * 16 - 1, SVM_IDT},
		.efer = rdmsr(MSR_EFER),
		/* Some firmware leaves the caches off. */
		.cr0 = read_cr0() & ~(u64)(CR0_CD | CR0_NW),
		.dr6 = DR6_RESET,
		.dr7 = DR7_RESET,
		.rflags = RFLAGS_FIXED,
		.rsp = SVM_GUEST_STACK,
		.g_pat = PAT_RESET,
	};
	__asm__ volatile("mov %%cr3, %0" : "=r"(s->cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(s->cr4));
}

void svm_reset(void)
{
	svm_regs = (struct svm_regs){0};
	reset_npt();
	reset_guest_idt();
	reset_control(&svm_vmcb.control);
	reset_save(&svm_vmcb.save);
}

/* RBP is kept because compilers refuse it as a clobber; R8 to R15 are not
 * used by any guest code. */
static void vmrun(void *vmcb_pa)
{
	struct svm_regs *r = &svm_regs;

	__asm__ volatile("push %%rbp\n\t"
			 "vmrun\n\t"
			 "pop %%rbp"
			 : "+a"(vmcb_pa), "+b"(r->rbx), "+c"(r->rcx),
			   "+d"(r->rdx), "+S"(r->rsi), "+D"(r->rdi)
			 :
			 : "memory", "cc");
}

int svm_run_at(u64 vmcb_pa)
{
	return trap_try(vmrun, (void *)vmcb_pa);
}

int svm_run_raw(void)
{
	return svm_run_at((u64)&svm_vmcb);
}

int svm_run(svm_code *code)
{
	int trap;

	svm_vmcb.save.rip = (u64)code;
	trap = svm_run_raw();
	svm_stgi();
	return trap;
}
