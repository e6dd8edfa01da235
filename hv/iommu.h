/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps devices out of L0's memory by the machine's AMD IOMMUs: one device
 * table for all, in which every device has the same I/O page table. It maps
 * the physical address space one to one, without L0's block and without the
 * IOMMUs' own registers. Interrupts pass as if there were no IOMMU.
 *
 * L1 does not get the IOMMUs: they are missing in its ACPI tables, their
 * registers in NPT01, and their PCI functions behind ports 0xcf8 and 0xcfc.
 */
#pragma once

#include "lib/phys.h"

/*
 * Once, after space_build() and before tables_init(). [@start, @end) is the
 * block. Says on the console what is protected, or that nothing is.
 */
void iommu_init(const struct phys *phys, u64 rsdp, u64 start, u64 end);
