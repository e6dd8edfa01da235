/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether L1 wants an exit of L2, by the intercepts of vmcb12 and the maps
 * that it points to in L1's memory (AMD APM vol. 2, 15.9 to 15.14). L0 asks
 * once it knows that the exit is not for its own sake. Pure; a map is read at
 * the time of the question, as L1 may change it while L2 runs.
 *
 * @control12 is L0's copy. Maps are given by their L1-physical address, that of
 * a page; where they cannot be read, the exit is wanted.
 */
#pragma once

#include "lib/phys.h"
#include "lib/vmcb.h"
#include "lib/x86dec.h"

/*
 * A bit of the intercept vectors decides. Codes that have none are always
 * L1's, once L0 knows that they are not its own: nested page faults, AVIC's
 * and SEV's (0x400 on), VMEXIT_INVALID and the others that are negative.
 *
 * Of I/O and MSRs this is half of the answer: wants_port() and wants_msr() have
 * the other half.
 */
static inline bool wants_exit(const struct vmcb_control *control12, u64 code)
{
	if (code > VMCB_EXIT_CHOSEN_MAX)
		return true;
	return control12->intercept[code / 32] >> code % 32 & 1;
}

/* The code that a read of a control register or the TSC has by the manual;
 * @code, if @insn is none. SMSW is a read of CR0 (15.8). */
u64 code_of_read(const struct x86_insn *insn, u64 code);

/* @info1: EXITINFO1 of the exit, as the CPU writes it. */
bool wants_port(const struct phys *l1, u64 iopm, u64 info1);

bool wants_msr(const struct phys *l1, u64 msrpm, u32 msr, bool write);
