/* SPDX-License-Identifier: Apache-2.0 */
/* Which decoder runs. */
#include "lib/nbt/kernel.h"

#include <stdatomic.h>
#include <string.h>

#include "lib/nbt/nbt.h"

/* Best first; the last runs everywhere. */
static const struct nbt_kernel *const kernels[] = {
	&nbt_kernel_avx512,
	&nbt_kernel_avx2,
	&nbt_kernel_portable,
};

/* NULL until somebody chose. Tests and benchmarks change it; threads that
 * decode meanwhile use the one or the other, with the same result. */
static _Atomic(const struct nbt_kernel *) chosen;

const struct nbt_kernel *nbt_kernel(void)
{
	const struct nbt_kernel *k =
		atomic_load_explicit(&chosen, memory_order_relaxed);
	size_t i = 0;

	if (k)
		return k;
	while (i < ARRAY_SIZE(kernels) - 1 && !kernels[i]->supported())
		i++;
	atomic_store_explicit(&chosen, kernels[i], memory_order_relaxed);
	return kernels[i];
}

const char *nbt_decoder(void)
{
	return nbt_kernel()->name;
}

int nbt_choose_decoder(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		if (strcmp(kernels[i]->name, name) != 0)
			continue;
		if (!kernels[i]->supported())
			return -1;
		atomic_store_explicit(&chosen, kernels[i],
				      memory_order_relaxed);
		return 0;
	}
	return -1;
}
