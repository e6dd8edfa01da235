/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/ivrs.h"

/* The header's own fields say nothing that is needed here. */
struct ivrs_table {
	struct acpi_header header;
	u8 unused[12];
	u8 blocks[];
} __attribute__((packed));
ASSERT_SIZE(ivrs_table, 48);

enum { IVHD_10 = 0x10, IVHD_11 = 0x11, IVHD_40 = 0x40 };

struct ivrs_block {
	u8 type;
	u8 flags;
	u16 length; /* with this header */
} __attribute__((packed));
ASSERT_SIZE(ivrs_block, 4);

/* As much of an I/O virtualization hardware definition as all types have. */
struct ivhd {
	struct ivrs_block block;
	u16 device_id;
	u16 capability; /* offset in the function's configuration space */
	u64 base;
	u16 segment;
	u16 info;
	u32 features;
} __attribute__((packed));
ASSERT_OFFSET(ivhd, base, 8);
ASSERT_SIZE(ivhd, 24);

static int add_iommu(struct ivrs *ivrs, const struct ivhd *ivhd,
		     const char **why)
{
	u64 base = ivhd->base;

	for (size_t i = 0; i < ivrs->n; i++)
		if (ivrs->base[i] == base)
			return 0;
	if (!base || base % IOMMU_ALIGNED)
		return refuse(why, "the IVRS has an address that cannot be");
	if (ivrs->n == IVRS_IOMMUS)
		return refuse(why, "there are too many IOMMUs");
	ivrs->function[ivrs->n] = ivhd->device_id;
	ivrs->base[ivrs->n++] = base;
	return 0;
}

static int add_block(struct ivrs *ivrs, const struct ivrs_block *b,
		     const char **why)
{
	const struct ivhd *ivhd = (const void *)b;

	if (b->type != IVHD_10 && b->type != IVHD_11 && b->type != IVHD_40)
		return 0;
	if (b->length < sizeof(*ivhd))
		return refuse(why, "the IVRS has a block that is too short");
	return add_iommu(ivrs, ivhd, why);
}

int ivrs_list(struct ivrs *ivrs, const struct acpi_header *table,
	      const char **why)
{
	const struct ivrs_table *t = (const void *)table;
	size_t left, at = 0;

	ivrs->n = 0;
	if (table->length < sizeof(*t))
		return refuse(why, "the IVRS is too short");
	left = table->length - sizeof(*t);
	while (at < left) {
		const struct ivrs_block *b = (const void *)(t->blocks + at);

		if (left - at < sizeof(*b) || b->length < sizeof(*b) ||
		    b->length > left - at)
			return refuse(why, "the IVRS is garbage");
		if (add_block(ivrs, b, why) < 0)
			return -1;
		at += b->length;
	}
	return ivrs->n ? 0 : refuse(why, "the IVRS names no IOMMU");
}
