/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IVRS, ACPI's table of AMD's IOMMUs (AMD I/O Virtualization Technology
 * specification, chapter "I/O Virtualization ACPI Table"). An IOMMU has up to
 * three blocks in it, of types 10h, 11h and 40h, all with the same address.
 */
#pragma once

#include "lib/acpi.h"

#define IVRS_IOMMUS   32
#define IOMMU_ALIGNED 0x4000ull /* addresses are multiples of it */

struct ivrs {
	u64 base[IVRS_IOMMUS];	   /* where the registers are; each once */
	u16 function[IVRS_IOMMUS]; /* bus, device and function of each */
	size_t n;		   /* not 0 */
};

/* @table: what acpi_table() found. Negative: *why. */
int ivrs_list(struct ivrs *ivrs, const struct acpi_header *table,
	      const char **why);
