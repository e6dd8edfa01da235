/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SVM as a backend: for hv/main.c alone, which chooses it by CPUID (`make
 * lint` sees to that).
 */
#pragma once

#include "hv/vmm.h"

#define CPUID_ECX_SVM 0x4u

extern const struct vmm_ops svm_ops;
