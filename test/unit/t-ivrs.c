/* SPDX-License-Identifier: Apache-2.0 */
/* hv/ivrs: tables with one IOMMU, with many, and with nonsense. */
#include "hv/ivrs.h"
#include "test/unit/unit.h"

#define HEADER 48

/* Of its exact size, so that a read beyond is seen. */
static struct {
	u8 *bytes;
	u32 size;
} table;
static struct ivrs ivrs;
static const char *why;

static int setup(void **state)
{
	(void)state;
	table.size = HEADER;
	table.bytes = calloc(1, HEADER);
	why = NULL;
	return table.bytes ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(table.bytes);
	return 0;
}

/* A block of @size bytes that says it has @length. */
static void add(u8 type, u32 size, u16 length, u64 base)
{
	u8 *block;

	table.bytes = realloc(table.bytes, table.size + size);
	assert_non_null(table.bytes);
	block = memset(table.bytes + table.size, 0, size);
	block[0] = type;
	if (size >= 4)
		memcpy(block + 2, &length, sizeof(length));
	if (size >= 8)
		memcpy(block + 4, &(u16){0x10}, sizeof(u16));
	if (size >= 16)
		memcpy(block + 8, &base, sizeof(base));
	table.size += size;
}

static int list(void)
{
	memcpy(table.bytes + 4, &table.size, sizeof(table.size));
	return ivrs_list(&ivrs, (const void *)table.bytes, &why);
}

static void assert_refused(const char *reason)
{
	assert_true(list() < 0);
	assert_string_equal(why, reason);
}

/* What QEMU 10 has: two blocks for one IOMMU, device entries behind. */
static void one_iommu_in_two_blocks(void **state)
{
	(void)state;
	add(0x10, 32, 32, 0xfed80000);
	add(0x11, 52, 52, 0xfed80000);
	assert_int_equal(list(), 0);
	assert_int_equal(ivrs.n, 1);
	assert_int_equal(ivrs.base[0], 0xfed80000);
	assert_int_equal(ivrs.function[0], 0x10);
}

static void other_blocks_are_passed_over(void **state)
{
	(void)state;
	add(0x21, 32, 32, 0x1234); /* memory that a device needs */
	add(0x40, 40, 40, 0x10080000000);
	add(0x99, 4, 4, 0);
	add(0x40, 40, 40, 0xf0000000);
	assert_int_equal(list(), 0);
	assert_int_equal(ivrs.n, 2);
	assert_true(ivrs.base[0] == 0x10080000000);
	assert_int_equal(ivrs.base[1], 0xf0000000);
}

static void too_many_iommus(void **state)
{
	(void)state;
	for (u64 i = 1; i <= IVRS_IOMMUS; i++)
		add(0x10, 24, 24, i * IOMMU_ALIGNED);
	assert_int_equal(list(), 0);
	assert_int_equal(ivrs.n, IVRS_IOMMUS);
	add(0x10, 24, 24, 0xfed80000);
	assert_refused("there are too many IOMMUs");
}

static void no_iommu(void **state)
{
	(void)state;
	assert_refused("the IVRS names no IOMMU");
	add(0x20, 32, 32, 0);
	assert_refused("the IVRS names no IOMMU");
	table.size = HEADER - 1;
	assert_refused("the IVRS is too short");
}

static void absurd_addresses(void **state)
{
	(void)state;
	add(0x10, 24, 24, 0);
	assert_refused("the IVRS has an address that cannot be");
	memset(table.bytes + HEADER + 8, 0xff, 8);
	assert_refused("the IVRS has an address that cannot be");
}

static void absurd_lengths(void **state)
{
	static const struct {
		u32 size;
		u16 length;
		const char *reason;
	} rows[] = {
		{1, 0, "the IVRS is garbage"},
		{3, 0, "the IVRS is garbage"},
		{24, 0, "the IVRS is garbage"},
		{24, 3, "the IVRS is garbage"},
		{24, 25, "the IVRS is garbage"},
		{24, 0xffff, "the IVRS is garbage"},
		{24, 4, "the IVRS has a block that is too short"},
		{23, 23, "the IVRS has a block that is too short"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		table.size = HEADER;
		add(0x10, rows[i].size, rows[i].length, 0xfed80000);
		assert_refused(rows[i].reason);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_iommu_in_two_blocks),
		TEST(other_blocks_are_passed_over),
		TEST(too_many_iommus),
		TEST(no_iommu),
		TEST(absurd_addresses),
		TEST(absurd_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
