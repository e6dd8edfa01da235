/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the multiboot loader said. start.S calls multiboot_save() before
 * main(); it copies the little we use, because the loader's block lies in
 * low memory that the payload may overwrite.
 */
#pragma once

#include "lib/types.h"

#define CMDLINE_MAX 1024

/* Returns the command line, "" if there is none. */
const char *multiboot_save(u32 info);

/* End of the RAM that starts at 1 MiB, as an address; 0 if not known. */
u64 multiboot_ram_end(void);

#define MULTIBOOT_RANGES 64

/* The types of memory that a loader tells of. */
enum { RANGE_RAM = 1, RANGE_RESERVED = 2, RANGE_ACPI = 3 };

struct multiboot_range {
	u64 start, end;
	u32 type;
};

/* The memory map's range @i; NULL behind the last one. */
const struct multiboot_range *multiboot_range(unsigned i);
