/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes vmcb02 at VMRUN: what merge.h does with the two blocks, and what L0
 * adds of its own: tables, ASIDs, maps, and those of SVM's features that the
 * CPU has not. All in n->pair, which vmcb02_choose() sets.
 */
#pragma once

#include "hv/nested/state.h"

/* The pair of L1's block at @pa. */
void vmcb02_choose(struct nested *n, u64 pa);

/* Reads @vmcb12, once. False: VMRUN refuses it. */
bool vmcb02_make(struct nested *n, const struct vmcb *vmcb12);

/* Makes the vmcb02 of a guest that runs on: @l2 has vmcb12's control area with
 * the last exit and the next event, and the guest's state; @int_ctl is as it
 * was in vmcb02. Legal, with tables of a format that nestbox has. */
void vmcb02_resume(struct nested *n, const struct vmcb *l2, u32 int_ctl);

/* Before vmcb02 goes back to vmcb12: what was added comes off. */
void vmcb02_unmake(struct nested *n);
