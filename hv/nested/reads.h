/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads of control registers and of the TSC by L1's guest on QEMU's CPU. That
 * has one intercept for all control registers, CR0's, and RDTSC's for RDTSCP,
 * too (doc/emulator.md). merge_reads() sets these; here is seen which it was.
 */
#pragma once

#include "hv/nested/state.h"

struct x86_insn;

/* The instruction of such an exit, and the code that the exit has by the
 * manual. False: it is not to be found, @code is the CPU's. */
bool reads_find(struct vcpu *v, struct x86_insn *insn, u64 *code);

/* Carries it out for a guest whose L1 does not want it. False: SMSW to memory,
 * nothing has happened. */
bool reads_do(struct vcpu *v, const struct x86_insn *insn);
