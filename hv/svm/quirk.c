/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/quirk.h"

#include "lib/cpu.h"
#include "lib/hypercall.h"

#define CPUID_HYPERVISOR 0x40000000u
#define TCG_EBX		 0x54474354u /* "TCGTCGTCGTCG" */
#define TCG_ECX		 0x43544743u
#define TCG_EDX		 0x47435447u

bool quirk_tcg;

void quirk_init(void)
{
	struct cpuid lowest = cpuid(CPUID_HYPERVISOR, 0);
	struct cpuid below = cpuid(LEAF_NESTBOX, 0);

	quirk_tcg = lowest.ebx == TCG_EBX && lowest.ecx == TCG_ECX &&
		    lowest.edx == TCG_EDX && below.ebx != SIGN_EBX;
}
