/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's limit for simulating translation: one design (radix), one
 * geometry that the compiler knows, identity mappings, no statistics but miss
 * counts, no page sizes, no decoding. bench/walk prints how near walk/ is.
 *
 * Data TLBs 64 entries in 4 ways and 1536 in 12, caches 32 KiB in 8 ways, 1 MiB
 * in 16, 22 MiB in 11; 16 entries each of page-directory and of pointer caches,
 * a nested TLB of 64 in 4 ways; exact LRU in all. Needs AVX-512.
 */
#pragma once

#include "lib/types.h"

/* How the L1 structures keep their order: tags in order of recency, or tags in
 * place and a matrix of bits. Which is faster depends on the trace. */
enum limit_kind { LIMIT_RECENCY, LIMIT_MATRIX, LIMIT_KINDS };

struct limit_counts {
	u64 l1_tlb, l2_tlb, l1, l2, l3; /* misses */
	u64 refs;			/* of walkers */
};

/* Replays @n addresses, with walks of one or of two dimensions; < 0 if this CPU
 * or the memory does not suffice. */
int limit_walk(const u64 *addr, size_t n, bool nested, enum limit_kind kind,
	       struct limit_counts *out);
