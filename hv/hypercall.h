/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hypercalls of L1: VMMCALL with the number in RAX, the result in RAX. Numbers
 * of other hypervisors give HYPERCALL_UNKNOWN, the value KVM uses (-ENOSYS of
 * Linux's kvm_para.h).
 */
#pragma once

#include "hv/vmm.h"

#define HYPERCALL_VERSION 0x6e620000u /* major << 16 | minor */
#define HYPERCALL_UNKNOWN ((u64)-1000)

u64 hypercall(struct vcpu *v);
