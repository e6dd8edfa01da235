/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aims a device's DMA at memory that its owner keeps for itself: QEMU's "edu"
 * (docs/specs/edu.rst; its dma_mask must allow the addresses). First shows that
 * DMA works within the payload's own memory.
 *
 *	iommu=ADDRESS   of registers: tries to switch the IOMMU off
 *	read=ADDRESS    DMA from there must bring nothing
 *	write=ADDRESS   DMA goes there; somebody else looks what arrived
 *
 * In this order. What is read is also printed. Without these words only the
 * first test runs.
 */
#include "guest/lib/argument.h"
#include "guest/lib/edu.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/pci.h"
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define IOMMU_VENDOR  0x1022
#define IOMMU_DEVICE  0x1419
#define IOMMU_CONTROL 0x18
#define IOMMU_ENABLED 0x1u
#define PCI_OWN	      0x40u /* from here on registers are the device's own */
#define PCI_SIZE      0x100u

#define BYTES 512

int main(const char *cmdline);

static u8 source[BYTES], target[BYTES];

/* Fills the source with what a block of zeros or of code is not. */
static void fill(u8 first)
{
	for (u32 i = 0; i < BYTES; i++)
		source[i] = (u8)(first + 7 * i);
	memset(target, 0, BYTES);
}

static bool is_uniform(const u8 *bytes)
{
	for (u32 i = 1; i < BYTES; i++)
		if (bytes[i] != bytes[0])
			return false;
	return true;
}

static void test_own(void)
{
	bool done;

	fill(1);
	done = edu_from_memory((uintptr_t)source, BYTES) &&
	       edu_to_memory((uintptr_t)target, BYTES);
	tap_ok(done && !memcmp(source, target, BYTES),
	       "DMA: through the device and back");
}

static void touch(void *arg)
{
	u64 *value = arg;
	volatile u64 *control = (void *)(uintptr_t)*value;

	*value = 0;
	*value = *control;
	*control = 0;
}

static bool is_on(u64 control)
{
	return control != ~0ull && control & IOMMU_ENABLED;
}

/* Where the register that enables the IOMMU is, our bytes have a 0. */
static void test_iommu(u64 at)
{
	u64 value = at + IOMMU_CONTROL;
	struct pci_dev dev;

	fill(4);
	tap_ok(edu_from_memory((uintptr_t)source, BYTES) &&
		       edu_to_memory(at, BYTES),
	       "DMA to the IOMMU's registers ends");
	trap_try(touch, &value);
	tap_ok(!is_on(value), "the IOMMU's registers are not there");
	if (!pci_find(IOMMU_VENDOR, IOMMU_DEVICE, &dev))
		return;
	for (u32 i = PCI_OWN; i < PCI_SIZE; i += sizeof(u32))
		pci_write(dev, i, 0);
	for (u32 i = PCI_OWN; i < PCI_SIZE; i += sizeof(u32))
		pci_write(dev, i, ~0u);
}

/* The device's buffer holds our bytes before; what it reads may leave them. */
static void test_read(u64 at)
{
	bool done;

	fill(2);
	done = edu_from_memory((uintptr_t)source, BYTES) &&
	       edu_from_memory(at, BYTES) &&
	       edu_to_memory((uintptr_t)target, BYTES);
	serial_printf("# read");
	for (u32 i = 0; i < 16; i++)
		serial_printf(" %02x", target[i]);
	serial_printf("\n");
	tap_ok(done && (is_uniform(target) || !memcmp(source, target, BYTES)),
	       "DMA from %lx brings nothing", at);
}

static void test_write(u64 at)
{
	fill(3);
	tap_ok(edu_from_memory((uintptr_t)source, BYTES) &&
		       edu_to_memory(at, BYTES),
	       "DMA to %lx ends", at);
}

int main(const char *cmdline)
{
	u64 iommu = argument(cmdline, "iommu");
	u64 read = argument(cmdline, "read"),
	    write = argument(cmdline, "write");

	serial_init();
	idt_init();
	tap_plan(1u + (iommu ? 2 : 0) + (read != 0) + (write != 0));
	if (!edu_find()) {
		serial_printf("error there is no edu device\n");
		return EXIT_USAGE;
	}
	test_own();
	if (iommu)
		test_iommu(iommu);
	if (read)
		test_read(read);
	if (write)
		test_write(write);
	return tap_done();
}
