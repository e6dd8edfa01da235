/* SPDX-License-Identifier: Apache-2.0 */
/* Stands before hv/safe.h, as fake/lib/cpu.h before lib/cpu.h. */
#pragma once

#include "lib/types.h"

bool wrmsr_safe(u32 msr, u64 v);
bool rdmsr_safe(u32 msr, u64 *v);
