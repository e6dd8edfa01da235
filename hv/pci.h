/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions that are not there for L1: their configuration space, by ports
 * 0xcf8 and 0xcfc, reads ones and ignores writes. Nothing exits before the
 * first one is hidden. The memory-mapped way (MCFG) is not looked at.
 */
#pragma once

#include "lib/types.h"

/* Bus, device and function of segment 0, as in an IVRS. At boot only. */
void pci_hide(u16 function);
