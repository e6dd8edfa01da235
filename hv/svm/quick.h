/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between svm.c and quick.c, which deals with the most frequent exits without
 * the core, before svm_enter() returns. What the CPU is like is svm.c's.
 */
#pragma once

#include "hv/vmm.h"
#include "lib/vmcb.h"

#define SVM_EXIT_CODES (VMCB_EXIT_NPF + 4)

/* exit_slot_svm() of each code, so that an exit costs no search. */
extern u8 svm_slot_of[SVM_EXIT_CODES];

extern bool svm_has_next_rip;

/* For svm_enter(): the block that runs, 0: the exit is the core's. */
u64 svm_quick_exit(struct vcpu *v);
