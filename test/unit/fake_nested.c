/* SPDX-License-Identifier: Apache-2.0 */
/* In place of hv/nested: L1 has SVM, and nothing of it but GIF is there. */
#include "hv/nested.h"

#include "hv/space.h"
#include "test/unit/fake_vmm.h"

bool nested_is_offered(void)
{
	return !fake.no_svm;
}

void nested_cpuid(struct cpuid *r)
{
	*r = (struct cpuid){0};
}

bool nested_read_vm_cr(struct vcpu *v, u64 *value)
{
	(void)v;
	*value = 0;
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
	assert_int_equal(v->level, 2);
	*value = FAKE_L2_TSC;
	return true;
}

bool nested_read_pat(struct vcpu *v, u64 *value)
{
	assert_int_equal(v->level, 2);
	*value = fake.l2_pat;
	return true;
}

bool nested_write_pat(struct vcpu *v, u32 msr, u64 value)
{
	assert_int_equal(v->level, 2);
	assert_int_equal(msr, MSR_PAT);
	fake.l2_pat = value;
	return true;
}

static enum result set_gif(struct vcpu *v, bool on)
{
	vmm->set_gif(v, on);
	return NEXT_INSN;
}

enum result nested_stgi(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return set_gif(v, true);
}

enum result nested_clgi(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return set_gif(v, false);
}

enum result nested_vmrun(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	inject_fault(v, VECTOR_UD, false);
	return SAME_RIP;
}

enum result nested_vmload(struct vcpu *v, const struct exit *exit)
{
	return nested_vmrun(v, exit);
}

enum result nested_vmsave(struct vcpu *v, const struct exit *exit)
{
	return nested_vmrun(v, exit);
}

enum result nested_invlpga(struct vcpu *v, const struct exit *exit)
{
	return nested_vmrun(v, exit);
}

enum result nested_exit(struct vcpu *v, const struct exit *exit)
{
	(void)v;
	(void)exit;
	return NOT_MINE;
}

bool nested_take(struct vcpu *v, enum exit_slot slot)
{
	if (fake.takes) {
		fake.n_taken++;
		v->level = 1;
		v->gif = GIF_OFF;
		return true;
	}
	assert_int_equal(v->level, 2);
	fake.taken = (u8)slot;
	if (!fake.l1_takes)
		return false;
	v->level = 1;
	vmm->set_gif(v, false);
	return true;
}

bool nested_take_fault(struct vcpu *v, u8 vector)
{
	assert_int_equal(v->level, 2);
	fake.taken = vector;
	return fake.l1_takes;
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

void nested_read_counts(const struct vcpu *v, struct nested_counts *to)
{
	*to = fake.counts;
	to->level = v->level;
}

void nested_read_tables(struct nested_tables *to)
{
	*to = fake.tables;
}
