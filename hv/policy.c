/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/policy.h"

#include "hv/lapic.h"
#include "hv/nested.h"
#include "hv/run.h"
#include "hv/safe.h"
#include "hv/vapic.h"
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"

#define CPUID_ECX_SVM	  0x4u
#define CPUID_ECX_SKINIT  0x1000u
#define CPUID_ECX_LA57	  0x10000u /* of leaf 7 */
#define CPUID_ECX_SHSTK	  0x80u
#define CPUID_EDX_IBT	  0x100000u
#define CPUID_EBX_INVLPGB 0x8u /* of leaf 0x80000008 */
#define VA_BITS		  48u
#define X2APIC(reg)	  (MSR_X2APIC + (reg) / 16)

/* MSRs *********************************************************************/

static bool read_efer(struct vcpu *v, u64 *value)
{
	*value = vmm->get_efer(v) | (v->svme ? EFER_SVME : 0);
	return true;
}

static bool may_set_svme(struct vcpu *v)
{
	u64 vm_cr;

	return nested_is_offered() && nested_read_vm_cr(v, &vm_cr) &&
	       !(vm_cr & VM_CR_SVMDIS);
}

static bool write_efer(struct vcpu *v, u32 msr, u64 value)
{
	bool svme = value & EFER_SVME;

	(void)msr;
	if (svme && !may_set_svme(v))
		return false;
	if (!vmm->set_efer(v, value & ~(u64)EFER_SVME))
		return false;
	if (v->level == 1)
		v->svme = svme;
	return true;
}

/* QEMU with -icount ends itself ("Bad icount read") where a RDMSR that reads
 * the clock is not the last instruction of a block; one in an interrupt shadow
 * is (doc/emulator.md). */
static bool read_timer(struct vcpu *v, u64 *value)
{
	(void)v;
	if (!lapic_is_x2apic())
		return false;
	*value = rdmsr_in_shadow(X2APIC(APIC_TMCCT));
	return true;
}

/* The CPU's own, without an exit. */
static bool native(struct vcpu *v, u64 *value)
{
	(void)v;
	(void)value;
	return false;
}

static bool ignore(struct vcpu *v, u32 msr, u64 value)
{
	(void)v;
	(void)msr;
	(void)value;
	return true;
}

static bool pass_on(struct vcpu *v, u32 msr, u64 value)
{
	(void)v;
	return wrmsr_safe(msr, value);
}

#define NO_INIT "an INIT or an SMI by it would take the CPU from L0"
#define NO_MOVE "it moves memory, L0's too; only the firmware should"

/* @n MSRs from @msr on. NULL: #GP. */
struct msr_rule {
	u32 msr, n;
	bool (*read)(struct vcpu *v, u64 *value);
	bool (*write)(struct vcpu *v, u32 msr, u64 value);
	const char *reason;
};

static const struct msr_rule msr_rules[] = {
	{MSR_EFER, 1, read_efer, write_efer,
	 "SVME must stay on while a guest runs, whatever L1 sets"},
	{MSR_VM_CR, 1, nested_read_vm_cr, nested_write_vm_cr,
	 "it could switch SVM off"},
	{MSR_VM_HSAVE_PA, 1, nested_read_hsave, nested_write_hsave,
	 "it points into L0's memory"},
	{MSR_APIC_BASE, 1, native, vapic_write_base,
	 "L0 traps the page where it is"},
	{X2APIC(APIC_ICR), 1, vapic_read_icr, vapic_write_icr,
	 "INIT and start-up of CPUs are L0's to carry out"},
	{X2APIC(APIC_TMCCT), 1, read_timer, NULL,
	 "QEMU with -icount would end"},
	{X2APIC(APIC_LVT_CMCI), 1, native, vapic_write_lvt, NO_INIT},
	{X2APIC(APIC_LVT_THERMAL), 4, native, vapic_write_lvt, NO_INIT},
	{MSR_SYSCFG, 1, native, ignore, NO_MOVE},
	{MSR_HWCR, 1, native, ignore, "INVD and SMM's lock are L0's matter"},
	{MSR_IORR_BASE0, 4, native, ignore, NO_MOVE},
	{MSR_TOP_MEM, 1, native, ignore, NO_MOVE},
	{MSR_TOP_MEM2, 1, native, ignore, NO_MOVE},
	{MSR_MMIO_CFG_BASE, 1, native, ignore, NO_MOVE},
	{MSR_SMM_BASE, 3, native, ignore, NO_MOVE},
	{MSR_SMM_CTL, 1, native, ignore, NO_MOVE},
};

/* Of L1's guest, where they exit. */
static const struct msr_rule guest_rules[] = {
	{MSR_TSC, 1, nested_read_tsc, pass_on, "VMCB's TSC offset counts"},
	{MSR_PAT, 1, nested_read_pat, nested_write_pat,
	 "it has one of its own, in the VMCB"},
};

static const struct msr_rule *find(const struct msr_rule *rules, size_t n,
				   u32 msr)
{
	for (size_t i = 0; i < n; i++)
		if (msr - rules[i].msr < rules[i].n)
			return &rules[i];
	return NULL;
}

static const struct msr_rule *find_msr(const struct vcpu *v, u32 msr)
{
	const struct msr_rule *rule = NULL;

	if (v->level == 2)
		rule = find(guest_rules, ARRAY_SIZE(guest_rules), msr);
	return rule ? rule : find(msr_rules, ARRAY_SIZE(msr_rules), msr);
}

void policy_init(const struct vmm_ops *ops)
{
	for (size_t i = 0; i < ARRAY_SIZE(msr_rules); i++)
		for (u32 k = 0; k < msr_rules[i].n; k++)
			ops->trap_msr(msr_rules[i].msr + k,
				      msr_rules[i].read != native, true);
}

/* L1 has the others without exits, but for those that the CPU's map does not
 * reach, and no PC has one there. Of a guest of L1's more exit. */
bool policy_rdmsr(struct vcpu *v, u32 msr, u64 *value)
{
	const struct msr_rule *rule = find_msr(v, msr);

	if (v->level == 2 && (!rule || rule->read == native))
		return rdmsr_safe(msr, value);
	return rule && rule->read && rule->read(v, value);
}

bool policy_wrmsr(struct vcpu *v, u32 msr, u64 value)
{
	const struct msr_rule *rule = find_msr(v, msr);

	if (v->level == 2 && !rule)
		return wrmsr_safe(msr, value);
	return rule && rule->write && rule->write(v, msr, value);
}

/* CPUID ********************************************************************/

/* "KVMKVMKVM" */
#define KVM_EBX 0x4b4d564bu
#define KVM_ECX 0x564b4d56u
#define KVM_EDX 0x4du

#define LEAF_KVM 0x40000100u

static void show_svm(struct cpuid *r)
{
	r->ecx &= ~CPUID_ECX_SKINIT;
	if (!nested_is_offered())
		r->ecx &= ~CPUID_ECX_SVM;
}

/* Leaf 7's other subleaves have no such bits. */
static void hide_paging(struct cpuid *r)
{
	if (!nested_is_offered())
		return;
	r->ecx &= ~(CPUID_ECX_LA57 | CPUID_ECX_SHSTK);
	r->edx &= ~CPUID_EDX_IBT;
}

/* Addresses are as long as 4 levels make them. */
static void show_48_bits(struct cpuid *r)
{
	r->ebx &= ~CPUID_EBX_INVLPGB;
	if (nested_is_offered() && (r->eax >> 8 & 0xff) > VA_BITS)
		r->eax = (r->eax & ~0xff00u) | VA_BITS << 8;
}

static void nothing(struct cpuid *r)
{
	*r = (struct cpuid){0};
}

static void sign(struct cpuid *r)
{
	*r = (struct cpuid){LEAF_NESTBOX, SIGN_EBX, SIGN_ECX, SIGN_EDX};
}

/* Its features, in the next leaf, are none. */
static void sign_kvm(struct cpuid *r)
{
	*r = (struct cpuid){LEAF_KVM + 1, KVM_EBX, KVM_ECX, KVM_EDX};
}

static const struct {
	u32 leaf;
	void (*change)(struct cpuid *r);
	const char *reason;
} cpuid_rules[] = {
	{7, hide_paging,
	 "nested tables have the levels of L1's own, and L0 shadows 4; "
	 "shadow stacks are not switched for its guests"},
	{LEAF_KVM, sign_kvm,
	 "Linux trusts x2APIC without interrupt remapping only from a "
	 "hypervisor it knows, and without x2APIC each EOI exits"},
	{LEAF_KVM + 1, nothing, "the features of KVM that L0 has: none"},
	{LEAF_NESTBOX, sign, "says that L0 is nestbox and takes hypercalls"},
	{0x80000001, show_svm, "whether L1 has SVM"},
	{0x80000008, show_48_bits,
	 "as without 5 levels; and INVLPGB is not on"},
	{0x8000000a, nested_cpuid, "which of SVM's features"},
};

void policy_cpuid(struct vcpu *v)
{
	u64 *gpr = v->regs.gpr;
	u32 leaf = (u32)gpr[RAX];
	struct cpuid r = cpuid(leaf, (u32)gpr[RCX]);

	for (size_t i = 0; i < ARRAY_SIZE(cpuid_rules); i++)
		if (cpuid_rules[i].leaf == leaf)
			cpuid_rules[i].change(&r);
	vmm->fix_cpuid(v, leaf, &r.ecx);
	gpr[RAX] = r.eax;
	gpr[RBX] = r.ebx;
	gpr[RCX] = r.ecx;
	gpr[RDX] = r.edx;
}
