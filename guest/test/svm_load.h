/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the payload svm_load, a file each, and what both need. */
#pragma once

#include "guest/test/svm_l2.h"

enum { LOAD_FIELDS = 10, LOAD_SEGMENTS = 4 };

/* What VMLOAD and VMSAVE move, as far as it is an MSR. */
struct load_field {
	u64 at; /* in a VMCB */
	u32 msr;
	u64 value; /* one that nothing else has */
};
extern const struct load_field load_fields[LOAD_FIELDS];

void do_vmload_at(void *pa);
void do_vmsave_at(void *pa);

/* Around whatever changes this state of L1. */
void load_begin(void);
void load_end(void);

/* Writes load_fields' values and distinct segments into a VMCB. */
void load_fill(struct vmcb *v);

extern const struct l2_table load_l1, load_l2;
