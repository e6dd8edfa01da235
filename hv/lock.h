/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spinlock. L0 runs with all interrupts off, so nobody who holds one is
 * interrupted. Not recursive.
 */
#pragma once

#include "lib/cpu.h"

struct lock {
	bool held;
};

static inline void lock_take(struct lock *l)
{
	while (__atomic_exchange_n(&l->held, true, __ATOMIC_ACQUIRE))
		pause();
}

static inline void lock_give(struct lock *l)
{
	__atomic_store_n(&l->held, false, __ATOMIC_RELEASE);
}
