/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page tables: start.S maps the first 4 GiB one to one in 2 MiB pages,
 * present and writable. Here single 4 KiB pages in that range are mapped
 * elsewhere or taken away; the 2 MiB page around them is split first, into
 * one of PAGE_SPLITS_MAX tables (never given back).
 *
 * Changes are visible at once on the calling CPU; others are not told.
 */
#pragma once

#include "guest/lib/x86.h"
#include "lib/types.h"

#define PAGE_SPLITS_MAX 8

/* @flags: PTE_... Returns 0, or -1: beyond 4 GiB or no table left. */
int page_map(u64 va, u64 pa, u64 flags);
int page_unmap(u64 va);
