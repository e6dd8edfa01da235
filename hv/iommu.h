/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps devices out of L0's memory by the machine's AMD IOMMUs: one device
 * table for all, in which every device has the same I/O page table. It maps
 * the physical address space one to one, without L0's block and what L0
 * traps, the IOMMUs' own registers among it. Interrupts pass as if there were
 * no IOMMU.
 *
 * L1 does not get the IOMMUs: they are missing in its ACPI tables, their
 * registers in NPT01, and their PCI functions behind ports 0xcf8 and 0xcfc.
 */
#pragma once

#include "lib/acpi.h"

/* Once, when all else that L1 must not reach is trapped (hv/mmio.h), and before
 * tables_init(). Says on the console what is protected, or that nothing is. */
void iommu_init(const struct acpi *acpi);
