/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/policy.h"

#include "hv/run.h"
#include "lib/cpu.h"

/* MSRs *********************************************************************/

static bool read_efer(struct vcpu *v, u64 *value)
{
	*value = vmm->get_efer(v);
	return true;
}

static bool write_efer(struct vcpu *v, u64 value)
{
	return vmm->set_efer(v, value);
}

static bool read_vm_cr(struct vcpu *v, u64 *value)
{
	(void)v;
	*value = VM_CR_SVMDIS | VM_CR_LOCK;
	return true;
}

/* NULL: #GP. */
struct msr_rule {
	u32 msr;
	bool (*read)(struct vcpu *v, u64 *value);
	bool (*write)(struct vcpu *v, u64 value);
	const char *reason;
};

static const struct msr_rule msr_rules[] = {
	{MSR_EFER, read_efer, write_efer,
	 "SVME must stay on while a guest runs, and L1 has no SVM"},
	{MSR_VM_CR, read_vm_cr, NULL, "L1 has no SVM: off and locked"},
	{MSR_VM_HSAVE_PA, NULL, NULL, "it points into L0's memory"},
};

static const struct msr_rule *find_msr(u32 msr)
{
	for (size_t i = 0; i < ARRAY_SIZE(msr_rules); i++)
		if (msr_rules[i].msr == msr)
			return &msr_rules[i];
	return NULL;
}

void policy_init(const struct vmm_ops *ops)
{
	for (size_t i = 0; i < ARRAY_SIZE(msr_rules); i++)
		ops->trap_msr(msr_rules[i].msr);
}

/* An MSR without a rule exits because the CPU's map does not reach it: no PC
 * has one there. */
bool policy_rdmsr(struct vcpu *v, u32 msr, u64 *value)
{
	const struct msr_rule *rule = find_msr(msr);

	return rule && rule->read && rule->read(v, value);
}

bool policy_wrmsr(struct vcpu *v, u32 msr, u64 value)
{
	const struct msr_rule *rule = find_msr(msr);

	return rule && rule->write && rule->write(v, value);
}

/* CPUID ********************************************************************/

/* "nestboxnestb" in EBX, ECX, EDX, as hypervisors sign. */
#define SIGN_EBX 0x7473656eu
#define SIGN_ECX 0x6e786f62u
#define SIGN_EDX 0x62747365u

#define LEAF_NESTBOX 0x40000100u

static void hide_svm(struct cpuid *r)
{
	r->ecx &= ~4u;
}

static void nothing(struct cpuid *r)
{
	*r = (struct cpuid){0};
}

static void sign(struct cpuid *r)
{
	*r = (struct cpuid){LEAF_NESTBOX, SIGN_EBX, SIGN_ECX, SIGN_EDX};
}

static const struct {
	u32 leaf;
	void (*change)(struct cpuid *r);
	const char *reason;
} cpuid_rules[] = {
	{LEAF_NESTBOX, sign, "says that L0 is nestbox and takes hypercalls"},
	{0x80000001, hide_svm, "L1 has no SVM"},
	{0x8000000a, nothing, "SVM's features, without SVM"},
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
