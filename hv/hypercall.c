/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/hypercall.h"

#define VERSION 0x00000001u

u64 hypercall(struct vcpu *v)
{
	switch (v->regs.gpr[RAX]) {
	case HYPERCALL_VERSION:
		return VERSION;
	default:
		return HYPERCALL_UNKNOWN;
	}
}
