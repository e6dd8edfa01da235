/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What L1 sees of the CPU where that differs from the CPU: two tables, of MSRs
 * and of CPUID leaves, each row with its reason.
 */
#pragma once

#include "hv/vmm.h"

/* Makes the MSRs of the table exit. Once, before L1 runs. */
void policy_init(const struct vmm_ops *ops);

/* RDMSR or WRMSR of an MSR that exits. False: #GP. */
bool policy_rdmsr(struct vcpu *v, u32 msr, u64 *value);
bool policy_wrmsr(struct vcpu *v, u32 msr, u64 value);

/* CPUID: reads the leaf from RAX and RCX and sets the four registers. */
void policy_cpuid(struct vcpu *v);
