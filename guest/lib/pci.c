/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/pci.h"

#include "lib/cpu.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u
#define DEVICE_SHIFT   11
#define DEVICES	       32

#define BAR_IO	    0x1u
#define BAR_ADDRESS (~0xfu)

u32 pci_read(struct pci_dev dev, u32 reg)
{
	outl(CONFIG_ADDRESS, dev.address | reg);
	return inl(CONFIG_DATA);
}

void pci_write(struct pci_dev dev, u32 reg, u32 value)
{
	outl(CONFIG_ADDRESS, dev.address | reg);
	outl(CONFIG_DATA, value);
}

bool pci_find(u16 vendor, u16 device, struct pci_dev *dev)
{
	u32 wanted = (u32)device << 16 | vendor;

	for (u32 slot = 0; slot < DEVICES; slot++) {
		dev->address = CONFIG_ENABLE | slot << DEVICE_SHIFT;
		if (pci_read(*dev, 0) == wanted)
			return true;
	}
	return false;
}

u32 pci_memory_bar(struct pci_dev dev, unsigned bar, u32 unassigned)
{
	u32 reg = PCI_BAR0 + bar * 4;
	u32 value = pci_read(dev, reg);

	if (value & BAR_IO)
		return 0;
	if (!(value & BAR_ADDRESS)) {
		pci_write(dev, reg, unassigned);
		value = pci_read(dev, reg);
	}
	pci_write(dev, PCI_COMMAND,
		  pci_read(dev, PCI_COMMAND) | PCI_COMMAND_MEMORY);
	return value & BAR_ADDRESS;
}
