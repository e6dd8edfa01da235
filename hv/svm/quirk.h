/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the CPU is one whose SVM is known to err: QEMU's software CPU, with
 * its deviations of doc/emulator.md. hv/svm and hv/nested ask where they mend
 * one that they could not know otherwise. A nestbox below has mended them.
 */
#pragma once

#include "lib/vmcb.h"
#include "lib/x86.h"

/* Asks CPUID. Once, before any guest runs. */
void quirk_init(void);

extern bool quirk_tcg;

static inline bool cpu_is_tcg(void)
{
	return quirk_tcg;
}

/*
 * At a #VMEXIT of a guest with EFER.LME and without CR0.PG and CR4.PAE QEMU's
 * CPU does not load CR0: L0 would go on without paging. So such a guest, which
 * does not page, has PAE.
 */
static inline void svm_add_pae(struct vmcb_save *s)
{
	if (cpu_is_tcg() && s->efer & EFER_LME && !(s->cr0 & CR0_PG))
		s->cr4 |= CR4_PAE;
}
