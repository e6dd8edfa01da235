/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The permission maps of vmcb01, one of each kind for all CPUs: a bit that is
 * set traps (APM vol. 2, 15.10 and 15.11). svm_maps_init() first.
 */
#pragma once

#include "lib/types.h"

void svm_maps_init(void);

/* Physical addresses. */
u64 svm_msrpm(void);
u64 svm_iopm(void);

/* MSRs outside the map's three ranges always exit. */
void svm_trap_msr(u32 msr, bool reads, bool writes);
void svm_trap_port(u16 port);
