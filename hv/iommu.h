/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps devices out of L0's memory by the machine's AMD IOMMUs: one device
 * table for all, in which every device has the same I/O page table. It maps
 * the physical address space one to one, without L0's block and without the
 * IOMMUs' own registers. Interrupts pass as if there were no IOMMU.
 *
 * L1 does not get the IOMMUs: they are missing in its ACPI tables, and their
 * registers in NPT01.
 */
#pragma once

#include "hv/bootinfo.h"

/*
 * Once, after space_build() and before L1 is loaded: takes a page of @boot's
 * map and changes @boot->rsdp. [@start, @end) is the block. Says on the console
 * what is protected, or that nothing is.
 */
void iommu_init(struct bootinfo *boot, const struct phys *phys, u64 start,
		u64 end);
