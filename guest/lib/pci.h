/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI configuration space through ports 0xcf8/0xcfc. Looks at function 0
 * of the devices on bus 0 only: that is where QEMU's "pc" puts what it is
 * told to have, and every look costs two trips to the level below. On a
 * machine without PCI nothing is found. A struct pci_dev is a value.
 */
#pragma once

#include "lib/types.h"

#define PCI_COMMAND	   0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_BAR0	   0x10

struct pci_dev {
	u32 address; /* as port 0xcf8 wants it, register 0 */
};

u32 pci_read(struct pci_dev dev, u32 reg);
void pci_write(struct pci_dev dev, u32 reg, u32 value);

bool pci_find(u16 vendor, u16 device, struct pci_dev *dev);

/*
 * The address of a 32-bit memory BAR, with decoding enabled. If no firmware
 * has given it one, it becomes @unassigned. 0 if that is not a memory BAR.
 */
u32 pci_memory_bar(struct pci_dev dev, unsigned bar, u32 unassigned);
