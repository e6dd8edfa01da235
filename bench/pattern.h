/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses of four well-known loops over 1 GiB, made in memory for benchmarks:
 * addresses, kinds, and the instructions between them as a compiler's code for
 * the loop has them. The sequences are those that the figures of the other
 * simulators were measured with.
 */
#pragma once

#include "lib/types.h"

struct accesses {
	size_t n;
	u64 *addr;
	u8 *kind;
	u8 *gap;
};

/* NULL-ended: "gups", "chase", "btree", "stream". */
extern const char *const pattern_names[];

/* The first @n accesses of a pattern; < 0 if there is no memory, or no such
 * pattern. accesses_free() frees them. */
int pattern_make(const char *name, size_t n, struct accesses *out);
void accesses_free(struct accesses *a);
