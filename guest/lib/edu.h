/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's "edu" device (docs/specs/edu.rst): a PCI function that moves memory
 * for us, through a buffer of 4 KiB of its own. Its dma_mask must allow the
 * addresses.
 */
#pragma once

#include "lib/types.h"

/* First; false: there is none. */
bool edu_find(void);

/* DMA from physical address @at into the device's buffer and from the buffer to
 * @at. False: it never finishes. */
bool edu_from_memory(u64 at, u32 bytes);
bool edu_to_memory(u64 at, u32 bytes);
