/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmcb12 + vmcb01 -> vmcb02 at VMRUN, and vmcb02 -> vmcb12 at the #VMEXIT that
 * L1 sees (APM vol. 2, 15.5 and 15.6; doc/nesting.md has the figure). Pure; the
 * blocks are private copies but for the one that merge_back_*() writes.
 *
 * FS, GS, TR, LDTR and the MSRs of VMLOAD are in the CPU, common to L1 and its
 * guest; nothing here touches them.
 */
#pragma once

#include "lib/vmcb.h"

/* What L0 puts into vmcb02 in place of what L1 says. */
struct merge {
	u64 iopm, msrpm;
	u32 asid;
	bool virtual_load; /* the CPU has virtual VMLOAD and VMSAVE, */
	bool virtual_gif;  /* and virtual GIF */
};

/* The fields of vmcb12 that VMRUN reads. */
void merge_copy(struct vmcb *copy12, const struct vmcb *vmcb12);

/* The exits that L0 needs of every guest of L1's; all others are L1's choice.
 */
void merge_intercepts(u32 intercept02[6], const u32 intercept12[6]);

/* Adds those that QEMU's CPU asks in place of L1's: hv/nested/reads.h. */
void merge_reads(u32 intercept02[6], const u32 intercept12[6]);

/* What of the control area clean bits cover, but nCR3; and virt_ext. */
void merge_control(struct vmcb_control *c02, const struct vmcb_control *c12,
		   const struct merge *m);

/* A flush that L0 has ordered before stays; one of the more exact kinds is one
 * of everything where the CPU has only that, and so are those that no CPU has.
 */
static inline u8 merge_flush(u8 pending, u8 asked, bool exact)
{
	if (!(pending | asked))
		return VMCB_TLB_KEEP;
	if (!pending && exact &&
	    (asked == VMCB_TLB_FLUSH_ASID || asked == VMCB_TLB_FLUSH_LOCAL))
		return asked;
	return VMCB_TLB_FLUSH_ALL;
}

/* What is new at each VMRUN, inline because it is. @int_ctl: its bits that
 * reach the CPU. @exact_flush: the CPU knows TLB_CONTROL 3 and 7. */
static inline void merge_run(struct vmcb_control *c02,
			     const struct vmcb_control *c12, u32 int_ctl,
			     bool exact_flush)
{
	c02->tlb_control =
		merge_flush(c02->tlb_control, c12->tlb_control, exact_flush);
	c02->int_ctl = c12->int_ctl & int_ctl;
	c02->int_vector = c12->int_vector & VMCB_V_VECTOR;
	c02->int_state = c12->int_state & VMCB_SHADOW;
	c02->event_inj = c12->event_inj & ~VMCB_EVENT_RESERVED;
	c02->next_rip = c12->next_rip;
}

void merge_save(struct vmcb_save *s02, const struct vmcb_save *s12);

/* MSRs that a hypervisor may leave to its guest exit if L0 or L1 wants it;
 * all others always, by @map02 as merge_msrs_init() leaves it. 8 KiB each. */
void merge_msrs_init(u64 *map02);
void merge_msrs(u64 *map02, const u64 *map01, const u64 *map12);

/* One page of the ports' map; @page12 NULL: L1 has none there, and all exit. */
void merge_ports(u64 *page02, const u64 *page01, const u64 *page12);

/* @copy12 is vmcb12 as it was at VMRUN; what L1 wrote since is not looked at.
 * Inline, too. */
static inline void merge_back_control(struct vmcb_control *c12,
				      const struct vmcb_control *copy12,
				      const struct vmcb_control *c02)
{
	const u32 live = VMCB_V_TPR_MASK | VMCB_V_IRQ | VMCB_V_GIF;

	c12->int_ctl = (copy12->int_ctl & ~live) | (c02->int_ctl & live);
	c12->int_state = c02->int_state;
	c12->exit_code = c02->exit_code;
	c12->exit_info_1 = c02->exit_info_1;
	c12->exit_info_2 = c02->exit_info_2;
	c12->exit_int_info = c02->exit_int_info;
	c12->event_inj = copy12->event_inj & ~VMCB_EVENT_VALID;
}

/* What the last exit and L0 left in @c02 for the next entry. */
static inline void merge_exit(struct vmcb_control *to,
			      const struct vmcb_control *c02)
{
	to->int_state = c02->int_state;
	to->exit_code = c02->exit_code;
	to->exit_info_1 = c02->exit_info_1;
	to->exit_info_2 = c02->exit_info_2;
	to->exit_int_info = c02->exit_int_info;
	to->event_inj = c02->event_inj;
	to->next_rip = c02->next_rip;
	to->insn_len = c02->insn_len;
	__builtin_memcpy(to->insn_bytes, c02->insn_bytes,
			 sizeof(to->insn_bytes));
}

void merge_back_save(struct vmcb_save *s12, const struct vmcb_save *s02);
