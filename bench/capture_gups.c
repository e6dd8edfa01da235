/* SPDX-License-Identifier: Apache-2.0 */
/* What bench/capture.sh records: 20 M loads and stores at random in 64 MiB. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS	(1ull << 23)
#define UPDATES 20000000

int main(void)
{
	uint64_t *table = malloc(WORDS * sizeof(*table));
	uint64_t x = 88172645463325252ull;

	if (!table)
		return 1;
	for (uint64_t i = 0; i < WORDS; i++)
		table[i] = i;
	for (int i = 0; i < UPDATES; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		table[x % WORDS] ^= x;
	}
	printf("%llx\n", (unsigned long long)table[0]);
	return 0;
}
