/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translations that other CPUs may still hold. Who changes a nested page table
 * that guests run on calls shoot() before it relies on the change.
 *
 * Each CPU flushes all its translations on its way into a guest if somebody has
 * shot since it last did: shoot_enter() tells.
 */
#pragma once

#include "hv/percpu.h"

/* Every other CPU has left its guest, and flushes before it enters one again;
 * this CPU does so, too. The caller may hold locks that others wait for in L0,
 * with interrupts off: only guests are waited for. */
void shoot(void);

extern u64 shoot_epoch;

/*
 * This CPU goes into a guest, unless it has to flush first: then false, and the
 * caller flushes and tries again. Sequentially consistent: a shooter sees that
 * this CPU is in a guest, or this CPU sees the shot.
 */
static inline bool shoot_enter(struct cpu *cpu)
{
	u64 epoch;

	__atomic_store_n(&cpu->in_guest, true, __ATOMIC_SEQ_CST);
	epoch = __atomic_load_n(&shoot_epoch, __ATOMIC_SEQ_CST);
	if (epoch == cpu->epoch)
		return true;
	__atomic_store_n(&cpu->in_guest, false, __ATOMIC_RELEASE);
	__atomic_store_n(&cpu->epoch, epoch, __ATOMIC_RELAXED);
	return false;
}

static inline void shoot_leave(struct cpu *cpu)
{
	__atomic_store_n(&cpu->in_guest, false, __ATOMIC_RELEASE);
}
