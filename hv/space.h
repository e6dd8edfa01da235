/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1's physical address space, NPT01: the machine's, one to one, by the largest
 * pages, without L0's block.
 */
#pragma once

#include "lib/types.h"

/* Bytes of physical address space that this CPU has, at most 256 TiB / 2. */
u64 space_size(void);

/* Builds NPT01 without [@start, @end); returns its root. */
u64 space_build(u64 start, u64 end);
