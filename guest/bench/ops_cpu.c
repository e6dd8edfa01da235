/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that are one instruction which a hypervisor traps. */
#include "guest/bench/op.h"

#include "lib/cpu.h"
#include "guest/lib/idt.h"
#include "guest/lib/multiboot.h"

/* KVM answers -ENOSYS to a number it does not know: the shortest way. */
#define HYPERCALL_UNUSED 0xffff

#define CPUID_VENDOR 0
#define VENDOR_INTEL 0x756e6547u /* EBX: "Genu" */

/* Nothing of the payload or its loader lies there. */
#define FRESH_RAM (64ull << 20)

static void run_empty(void)
{
}

const struct op op_empty = {
	.name = "empty",
	.doc = "the measuring loop's own cost",
	.run = run_empty,
};

static void run_cpuid(void)
{
	cpuid(CPUID_VENDOR, 0);
}

const struct op op_cpuid = {
	.name = "cpuid",
	.doc = "CPUID leaf 0",
	.run = run_cpuid,
};

static bool use_vmcall;

static void run_hypercall(void)
{
	if (use_vmcall)
		vmcall(HYPERCALL_UNUSED);
	else
		vmmcall(HYPERCALL_UNUSED);
}

static void try_hypercall(void *unused)
{
	(void)unused;
	run_hypercall();
}

static const char *setup_hypercall(u64 runs)
{
	(void)runs;
	use_vmcall = cpuid(CPUID_VENDOR, 0).ebx == VENDOR_INTEL;
	if (trap_try(try_hypercall, NULL) != NO_TRAP)
		return "no hypervisor takes it";
	return NULL;
}

const struct op op_hypercall = {
	.name = "hypercall",
	.doc = "VMMCALL (on Intel VMCALL) with an unused number",
	.setup = setup_hypercall,
	.run = run_hypercall,
};

static void run_msr_read(void)
{
	rdmsr(MSR_APIC_BASE);
}

const struct op op_msr_read = {
	.name = "msr_read",
	.doc = "RDMSR of the APIC base",
	.run = run_msr_read,
};

static u64 cr0;

static const char *setup_cr0_wp(u64 runs)
{
	(void)runs;
	cr0 = read_cr0();
	return NULL;
}

static void run_cr0_wp(void)
{
	cr0 ^= CR0_WP;
	write_cr0(cr0);
}

static void teardown_cr0_wp(void)
{
	write_cr0(cr0 | CR0_WP);
}

const struct op op_cr0_wp = {
	.name = "cr0_wp",
	.doc = "one write of CR0 that flips WP",
	.setup = setup_cr0_wp,
	.run = run_cr0_wp,
	.teardown = teardown_cr0_wp,
};

static volatile u8 *fresh = (volatile u8 *)FRESH_RAM;

static const char *setup_page_fault(u64 runs)
{
	if ((u64)fresh + runs * PAGE_SIZE > multiboot_ram_end())
		return "not enough RAM above 64 MiB";
	return NULL;
}

/* Our own page tables map it in 2 MiB pages: only those below us miss. */
static void run_page_fault(void)
{
	*fresh = 1;
	fresh += PAGE_SIZE;
}

const struct op op_page_fault = {
	.name = "page_fault",
	.doc = "store to a page of RAM that was never touched",
	.setup = setup_page_fault,
	.run = run_page_fault,
};
