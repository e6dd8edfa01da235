/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the simulator, one type per address space, and the keys that
 * stand for virtual addresses.
 *
 * A program touches few of the 2^57 bytes that it could. So each region of
 * 16 GiB that an address space touches gets a number as it comes, and the model
 * works with the key
 *
 *    40        34 33                                       0
 *   |  region    |  low bits of the virtual address         |
 *
 * which keeps every set index of every TLB and cache, tells address spaces
 * apart (a key has its ASID in it) and leaves page numbers of 29 bits: tags of
 * 32 bits are exact. 128 regions are 2 TiB of touched regions.
 *
 * Each dimension (guest, host ...) adds one bit above for its tables, so that
 * physical addresses have at most KEY_BITS + 3 bits.
 */
#pragma once

#include "lib/types.h"

#define REGION_SHIFT 34
#define REGIONS	     128
#define KEY_BITS     41
#define PA_BITS	     (KEY_BITS + 3)

#define PAGE_SHIFT 12
#define LINE_SHIFT 6

/* A key: an address of the innermost program. */
typedef struct {
	u64 v;
} va_t;

/* What a dimension translates to if there is another below it: of the guest
 * (virt: GPA; nested: L2PA, then L1PA). */
typedef struct {
	u64 v;
} gpa_t;

/* What caches see. */
typedef struct {
	u64 v;
} hpa_t;

enum page_size { SIZE_4K, SIZE_2M, SIZE_1G, PAGE_SIZES };

static inline unsigned size_shift(enum page_size s)
{
	return PAGE_SHIFT + 9 * s;
}
