/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables that L1 sees: the firmware's, and NBOX (lib/hypercall.h) with
 * the token. The firmware's are not changed. The new root pointer and what it
 * leads to lie in a page of their own, which L1's memory map calls ACPI's.
 *
 * Linux is told by boot_params where the root pointer is. A multiboot payload
 * finds it at the start of a page of an ACPI range of its map; if it searches
 * the BIOS area instead, which is write-protected, it finds the firmware's
 * tables and no NBOX.
 */
#pragma once

#include "hv/boot/bootinfo.h"
#include "lib/acpi.h"

/* Leaves the table with this name, of 4 letters, out of what L1 gets. Before
 * tables_init(). */
void tables_hide(const char *name);

/* Takes the page from @boot's map and changes @boot->rsdp; before L1 is
 * loaded. @acpi: the firmware's; without them there is nothing to add to. */
void tables_init(const struct acpi *acpi, struct bootinfo *boot);

bool tables_published(void);
