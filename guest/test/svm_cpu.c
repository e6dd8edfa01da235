/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CPU says it has, and state that VMRUN has to load: no experiment
 * here depends on another feature.
 */
#include "guest/test/svm_probe.h"

#include "lib/cpu.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"

#define CPUID_FEATURES	 1
#define ECX_X2APIC	 (1u << 21)
#define ECX_TSC_DEADLINE (1u << 24)
#define CPUID_POWER	 0x80000007
#define CPUID_ADDRESSES	 0x80000008
#define CPUID_SVM_DETAIL 0x8000000a
#define EDX_TSC_STEADY	 (1u << 8)
#define X2APIC_VERSION	 (MSR_X2APIC + 3)
#define TSC_OFFSET	 0x1000000000ull
#define TSC_SLACK	 100000000
#define PAT_ALL_WB	 0x0606060606060606ull
#define MSR_PAT_CODE	 "0x277"
#define VECTOR_DB	 1
#define DR7_G0		 0x2
#define DEADLINE_FAR	 0x7fffffffffffffffull

SVM_CODE(do_rdtsc, "rdtsc; mov %rdx, %rbx; shl $32, %rbx; or %rax, %rbx")
SVM_CODE(do_read_pat, "mov $" MSR_PAT_CODE ", %ecx; rdmsr; mov %eax, %ebx")
SVM_CODE(do_nops, "nop; nop; nop")
SVM_CODE(do_write_5g, "movabs $0x140000008, %rbx; mov %eax, (%rbx)")
SVM_CODE(do_read_cr3, "mov %cr3, %rbx")

static u64 msr_value;

static void try_rdmsr(void *msr)
{
	msr_value = rdmsr((u32)(u64)msr);
}

static void try_deadline(void *unused)
{
	(void)unused;
	wrmsr(MSR_TSC_DEADLINE, DEADLINE_FAR);
	msr_value = rdmsr(MSR_TSC_DEADLINE);
	wrmsr(MSR_TSC_DEADLINE, 0);
}

static void try_r_init(void *unused)
{
	u64 before = rdmsr(MSR_VM_CR);

	(void)unused;
	wrmsr(MSR_VM_CR, before | VM_CR_R_INIT);
	msr_value = rdmsr(MSR_VM_CR) & VM_CR_R_INIT;
	wrmsr(MSR_VM_CR, before);
}

static void print_try(int trap, bool works)
{
	if (trap == NO_TRAP)
		probe_say(works ? "works" : "no-effect");
	else
		serial_printf("trap-%d", trap);
}

static void svm_eax(const struct probe *p)
{
	(void)p;
	probe_number(cpuid(CPUID_SVM_DETAIL, 0).eax);
}

static void svm_ebx(const struct probe *p)
{
	(void)p;
	probe_number(cpuid(CPUID_SVM_DETAIL, 0).ebx);
}

static void svm_edx(const struct probe *p)
{
	(void)p;
	probe_number(cpuid(CPUID_SVM_DETAIL, 0).edx);
}

static void address_bits(const struct probe *p)
{
	(void)p;
	serial_printf("%u", cpuid(CPUID_ADDRESSES, 0).eax & 0xff);
}

static void steady_tsc(const struct probe *p)
{
	(void)p;
	probe_say(cpuid(CPUID_POWER, 0).edx & EDX_TSC_STEADY ? "yes" : "no");
}

/* Bit .arg of CPUID leaf 1, ECX. */
static void feature(const struct probe *p)
{
	probe_say(cpuid(CPUID_FEATURES, 0).ecx & p->arg ? "yes" : "no");
}

static void x2apic_msr(const struct probe *p)
{
	int trap = trap_try(try_rdmsr, (void *)(u64)X2APIC_VERSION);

	(void)p;
	print_try(trap, msr_value);
}

static void deadline_msr(const struct probe *p)
{
	int trap = trap_try(try_deadline, NULL);

	(void)p;
	print_try(trap, msr_value);
}

static void r_init(const struct probe *p)
{
	int trap = trap_try(try_r_init, NULL);

	(void)p;
	print_try(trap, msr_value);
}

static void tsc_offset(const struct probe *p)
{
	u64 before = rdtsc();

	svm_vmcb.control.tsc_offset = TSC_OFFSET;
	probe_exit(p);
	probe_say(svm_regs.rbx - TSC_OFFSET - before < TSC_SLACK ? "added"
								 : "ignored");
}

static void guest_pat(const struct probe *p)
{
	svm_vmcb.save.g_pat = PAT_ALL_WB;
	probe_exit(p);
	probe_say(svm_regs.rbx == (u32)PAT_ALL_WB ? "loaded" : "ignored");
}

/* A user-mode CPL with a kernel stack segment; CR3 is for the kernel. */
static void guest_cpl(const struct probe *p)
{
	svm_vmcb.save.cpl = 3;
	probe_print_exit(probe_exit(p), VMCB_EXIT_EXCEPTION + VECTOR_GP,
			 "loaded");
}

/* A breakpoint on the guest's second instruction; a single step ends before
 * it too. Debug exceptions are exits. */
static void guest_debug(const struct probe *p)
{
	u64 second = (u64)p->code + 1, code;

	__asm__ volatile("mov %0, %%dr0" : : "r"(second));
	svm_vmcb.save.dr7 |= p->arg;
	svm_vmcb.save.rflags |= p->set;
	code = probe_exit(p);
	if (code == VMCB_EXIT_EXCEPTION + VECTOR_DB &&
	    svm_vmcb.save.rip != second)
		probe_say("wrong-place");
	else
		probe_print_exit(code, VMCB_EXIT_EXCEPTION + VECTOR_DB,
				 "loaded");
}

/* What the exit says: error code and address. */
static void page_fault(const struct probe *p)
{
	const struct vmcb_control *c = &svm_vmcb.control;
	u64 code = probe_exit(p);

	if (code == VMCB_EXIT_EXCEPTION + VECTOR_PF)
		serial_printf("0x%lx@0x%lx", c->exit_info_1, c->exit_info_2);
	else
		probe_print_exit(code, 0, "");
}

static const struct probe probes[] = {
	PROBE("cpuid-svm-eax", "0x1", svm_eax, NULL),
	PROBE("cpuid-svm-ebx", "any", svm_ebx, NULL),
	PROBE("cpuid-svm-edx", "any", svm_edx, NULL),
	PROBE("cpuid-address-bits", "any", address_bits, NULL),
	PROBE("cpuid-steady-tsc", "any", steady_tsc, NULL),
	PROBE("cpuid-x2apic", "any", feature, NULL, .arg = ECX_X2APIC),
	PROBE("msr-x2apic", "works", x2apic_msr, NULL),
	PROBE("cpuid-tsc-deadline", "any", feature, NULL,
	      .arg = ECX_TSC_DEADLINE),
	PROBE("msr-tsc-deadline", "any", deadline_msr, NULL),
	PROBE("msr-vm-cr-r-init", "works", r_init, NULL),
	PROBE("load-tsc-offset", "added", tsc_offset, do_rdtsc),
	PROBE("load-pat", "loaded", guest_pat, do_read_pat),
	PROBE("load-cpl", "loaded", guest_cpl, do_read_cr3),
	PROBE("load-dr7", "loaded", guest_debug, do_nops, .arg = DR7_G0),
	PROBE("load-rflags-tf", "loaded", guest_debug, do_nops,
	      .set = RFLAGS_TF),
	PROBE("info-page-fault", "0x2@0x140000008", page_fault, do_write_5g),
};

const struct probe_table probe_cpu = {probes, ARRAY_SIZE(probes)};
