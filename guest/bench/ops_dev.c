/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on devices that the level below emulates. */
#include "guest/bench/op.h"

#include "lib/cpu.h"
#include "guest/lib/pci.h"

#define CMOS_INDEX  0x70
#define CMOS_DATA   0x71
#define CMOS_STATUS 0x0d /* a register that changes nothing when read */

/* QEMU's pci-testdev: BAR 0 starts with a description of one test. */
#define TESTDEV_VENDOR	 0x1b36
#define TESTDEV_DEVICE	 0x0005
#define TESTDEV_BAR_HOME 0xfe000000u /* if no firmware placed it */
#define TESTDEV_TESTS	 6
#define HEADER_TEST	 0 /* u8: writing a number selects that test */
#define HEADER_WIDTH	 1 /* u8: bytes per write */
#define HEADER_OFFSET	 4 /* u32: where in the BAR to write */
#define HEADER_DATA	 8 /* u8: what to write */
#define HEADER_NAME	 16

static const char *setup_pio_user(u64 runs)
{
	(void)runs;
	outb(CMOS_INDEX, CMOS_STATUS);
	return NULL;
}

static void run_pio_user(void)
{
	inb(CMOS_DATA);
}

const struct op op_pio_user = {
	.name = "pio_user",
	.doc = "read of a port that user space below serves (CMOS)",
	.setup = setup_pio_user,
	.run = run_pio_user,
};

static struct {
	volatile u8 *address;
	unsigned width;
	u8 data;
} doorbell;

/* The device answers byte reads only. */
static u32 header_u32(volatile u8 *bar, unsigned at)
{
	return bar[at] | (u32)bar[at + 1] << 8 | (u32)bar[at + 2] << 16 |
	       (u32)bar[at + 3] << 24;
}

static bool name_is(volatile u8 *bar, const char *name)
{
	volatile u8 *c = bar + HEADER_NAME;

	for (; *name && *c == (u8)*name; c++)
		name++;
	return *c == (u8)*name;
}

static bool select_test(volatile u8 *bar, const char *name)
{
	for (u8 test = 0; test < TESTDEV_TESTS; test++) {
		bar[HEADER_TEST] = test;
		if (name_is(bar, name))
			return true;
	}
	return false;
}

static const char *setup_dev_notify(u64 runs)
{
	struct pci_dev dev;
	volatile u8 *bar;

	(void)runs;
	if (!pci_find(TESTDEV_VENDOR, TESTDEV_DEVICE, &dev))
		return "no pci-testdev";
	bar = (volatile u8 *)(u64)pci_memory_bar(dev, 0, TESTDEV_BAR_HOME);
	if (!bar || (!select_test(bar, "mmio-datamatch-eventfd") &&
		     !select_test(bar, "mmio-no-eventfd")))
		return "pci-testdev offers no test that we know";
	doorbell.address = bar + header_u32(bar, HEADER_OFFSET);
	doorbell.width = bar[HEADER_WIDTH];
	doorbell.data = bar[HEADER_DATA];
	return NULL;
}

static void run_dev_notify(void)
{
	if (doorbell.width == sizeof(u8))
		*doorbell.address = doorbell.data;
	else if (doorbell.width == sizeof(u16))
		*(volatile u16 *)doorbell.address = doorbell.data;
	else
		*(volatile u32 *)doorbell.address = doorbell.data;
}

const struct op op_dev_notify = {
	.name = "dev_notify",
	.doc = "a doorbell: MMIO write with an eventfd behind it if possible",
	.setup = setup_dev_notify,
	.run = run_dev_notify,
};
