/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/edu.h"

#include "guest/lib/pci.h"
#include "lib/cpu.h"

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8
#define EDU_BAR	   0xfb000000u /* if no firmware has chosen one */

/* Registers, and the device's own memory as the device addresses it. */
enum {
	EDU_ID = 0x00,
	EDU_SOURCE = 0x80,
	EDU_TARGET = 0x88,
	EDU_COUNT = 0x90,
	EDU_COMMAND = 0x98,
	EDU_BUFFER = 0x40000,
};
#define EDU_IS	       0x010000edu
#define EDU_RUN	       0x1u
#define EDU_TO_MEMORY  0x2u
#define EDU_TURNS      100000000u
#define MASTER_ENABLED 0x4u

static u32 edu; /* address of its registers */

static volatile u32 *reg(u32 offset)
{
	return (volatile u32 *)(uintptr_t)(edu + offset);
}

bool edu_find(void)
{
	struct pci_dev dev;

	if (!pci_find(EDU_VENDOR, EDU_DEVICE, &dev))
		return false;
	edu = pci_memory_bar(dev, 0, EDU_BAR);
	pci_write(dev, PCI_COMMAND,
		  pci_read(dev, PCI_COMMAND) | MASTER_ENABLED);
	return edu && *reg(EDU_ID) == EDU_IS;
}

static bool transfer(u64 from, u64 to, u32 bytes, u32 direction)
{
	*(volatile u64 *)reg(EDU_SOURCE) = from;
	*(volatile u64 *)reg(EDU_TARGET) = to;
	*reg(EDU_COUNT) = bytes;
	*reg(EDU_COMMAND) = EDU_RUN | direction;
	for (u32 turn = 0; turn < EDU_TURNS; turn++) {
		if (!(*reg(EDU_COMMAND) & EDU_RUN))
			return true;
		pause();
	}
	return false;
}

bool edu_from_memory(u64 at, u32 bytes)
{
	return transfer(at, EDU_BUFFER, bytes, 0);
}

bool edu_to_memory(u64 at, u32 bytes)
{
	return transfer(EDU_BUFFER, at, bytes, EDU_TO_MEMORY);
}
