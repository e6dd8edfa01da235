/* SPDX-License-Identifier: Apache-2.0 */
/* In place of hv/nested: an L1 without SVM. Its CPU says so, too: EFER.SVME
 * cannot be set, and SVM's instructions are #UD. */
#include "hv/nested.h"

#include "hv/space.h"

void nested_init(u32 mask, u32 shake)
{
	(void)shake;
	(void)mask;
}

void nested_start(struct vcpu *v)
{
	(void)v;
}

bool nested_is_offered(void)
{
	return false;
}

void nested_cpuid(struct cpuid *r)
{
	*r = (struct cpuid){0};
}

bool nested_read_vm_cr(struct vcpu *v, u64 *value)
{
	(void)v;
	*value = VM_CR_LOCK | VM_CR_SVMDIS;
	return true;
}

bool nested_write_vm_cr(struct vcpu *v, u32 msr, u64 value)
{
	(void)v;
	(void)msr;
	(void)value;
	return false;
}

bool nested_read_hsave(struct vcpu *v, u64 *value)
{
	(void)v;
	(void)value;
	return false;
}

bool nested_write_hsave(struct vcpu *v, u32 msr, u64 value)
{
	return nested_write_vm_cr(v, msr, value);
}

bool nested_read_tsc(struct vcpu *v, u64 *value)
{
	return nested_read_hsave(v, value);
}

bool nested_read_pat(struct vcpu *v, u64 *value)
{
	return nested_read_hsave(v, value);
}

bool nested_write_pat(struct vcpu *v, u32 msr, u64 value)
{
	return nested_write_vm_cr(v, msr, value);
}

static enum result no_such_insn(struct vcpu *v)
{
	inject_fault(v, VECTOR_UD, false);
	return SAME_RIP;
}

#define NO_SUCH_INSN(name)                                        \
	enum result name(struct vcpu *v, const struct exit *exit) \
	{                                                         \
		(void)exit;                                       \
		return no_such_insn(v);                           \
	}

NO_SUCH_INSN(nested_vmrun)
NO_SUCH_INSN(nested_vmload)
NO_SUCH_INSN(nested_vmsave)
NO_SUCH_INSN(nested_stgi)
NO_SUCH_INSN(nested_clgi)
NO_SUCH_INSN(nested_invlpga)

enum result nested_exit(struct vcpu *v, const struct exit *exit)
{
	(void)v;
	(void)exit;
	return NOT_MINE;
}

bool nested_take(struct vcpu *v, enum exit_slot slot)
{
	(void)v;
	(void)slot;
	return false;
}

bool nested_take_fault(struct vcpu *v, u8 vector)
{
	(void)v;
	(void)vector;
	return false;
}

void nested_abandon(struct vcpu *v)
{
	(void)v;
}

void nested_flush(struct vcpu *v)
{
	(void)v;
}

const struct phys *nested_memory(const struct vcpu *v)
{
	(void)v;
	return &space_l1;
}

bool nested_quick_vmrun(struct vcpu *v)
{
	(void)v;
	return false;
}

bool nested_quick_exit(struct vcpu *v, enum exit_slot slot)
{
	(void)v;
	(void)slot;
	return false;
}

void nested_read_counts(const struct vcpu *v, struct nested_counts *to)
{
	*to = (struct nested_counts){.level = v->level};
}

void nested_read_tables(struct nested_tables *to)
{
	*to = (struct nested_tables){0};
}
