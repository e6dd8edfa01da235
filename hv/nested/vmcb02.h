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

/* Before vmcb02 goes back to vmcb12: what was added comes off. */
void vmcb02_unmake(struct nested *n);
