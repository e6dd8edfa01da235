/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the CPU is one whose SVM is known to err: QEMU's software CPU, with
 * its deviations of doc/emulator.md. hv/svm and hv/nested ask where they mend
 * one that they could not know otherwise. A nestbox below has mended them.
 */
#pragma once

#include "lib/types.h"

/* Asks CPUID. Once, before any guest runs. */
void quirk_init(void);

extern bool quirk_tcg;

static inline bool cpu_is_tcg(void)
{
	return quirk_tcg;
}
