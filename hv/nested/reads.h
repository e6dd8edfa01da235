/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads of control registers and of the TSC by L1's guest on QEMU's CPU, which
 * asks for all of the former the intercept of CR0, and for RDTSCP that of RDTSC
 * (doc/emulator.md). merge_reads() sets those; which read it was is seen here.
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
