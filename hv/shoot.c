/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/shoot.h"

#include "hv/smp.h"

u64 shoot_epoch;

/* In a guest that it entered before @epoch. */
static bool is_behind(const struct cpu *cpu, u64 epoch)
{
	return __atomic_load_n(&cpu->in_guest, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&cpu->epoch, __ATOMIC_RELAXED) < epoch;
}

void shoot(void)
{
	u64 epoch = __atomic_add_fetch(&shoot_epoch, 1, __ATOMIC_SEQ_CST);

	for (unsigned i = 0; i < n_cpus; i++)
		if (cpus[i] != this_cpu() && is_behind(cpus[i], epoch))
			smp_kick(cpus[i]);
	for (unsigned i = 0; i < n_cpus; i++)
		while (cpus[i] != this_cpu() && is_behind(cpus[i], epoch))
			pause();
}
