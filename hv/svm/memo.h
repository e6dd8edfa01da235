/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the instructions are that exited before, for a CPU that does not
 * tell. One is known again by where it is and by what it reads: the entries of
 * page tables that lead there, and its own bytes. Kept are those of 64-bit code
 * with at most four bytes; every vCPU has its own.
 */
#pragma once

#include "hv/vmm.h"

/* Memory for it, of @v. Once. */
void memo_start(struct vcpu *v);

/* Behind the instruction at @rip, at which @v stopped; 0: it is not known. */
u64 memo_next(const struct vcpu *v, u64 rip);

/* Its bytes behind it, at least 4; NULL: not known. */
const u8 *memo_behind(const struct vcpu *v, u64 rip);

/* The one at v->regs.rip ends at @next. */
void memo_learn(struct vcpu *v, u64 next);
