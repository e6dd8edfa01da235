/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's side of lib/hypercall.h: what L1 asks by VMMCALL.
 */
#pragma once

#include "hv/vmm.h"

/* Arguments and results are in v->regs. */
void hypercall(struct vcpu *v);
