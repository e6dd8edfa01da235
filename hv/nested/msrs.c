/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs whose values the VMCB changes for a guest. */
#include "hv/nested/check.h"
#include "hv/nested/state.h"
#include "hv/safe.h"
#include "hv/svm/quirk.h"
#include "lib/cpu.h"

/* APM vol. 2, 15.30.5: an RDMSR adds the offset, as RDTSC does. */
bool nested_read_tsc(struct vcpu *v, u64 *value)
{
	*value = rdtsc() + v->nested->vmcb02->control.tsc_offset;
	return true;
}

/* G_PAT is the guest's with nested paging only (15.25.4), that of L1; QEMU's
 * CPU knows no G_PAT, and the guest has the PAT of L1 then. */
static bool has_own_pat(const struct nested *n)
{
	return n->pair->nested_paging || !cpu_is_tcg();
}

bool nested_read_pat(struct vcpu *v, u64 *value)
{
	if (!has_own_pat(v->nested))
		return rdmsr_safe(MSR_PAT, value);
	*value = v->nested->vmcb02->save.g_pat;
	return true;
}

bool nested_write_pat(struct vcpu *v, u32 msr, u64 value)
{
	if (!has_own_pat(v->nested))
		return wrmsr_safe(msr, value);
	if (has_bad_type(value))
		return false;
	v->nested->vmcb02->save.g_pat = value;
	return true;
}
