/* SPDX-License-Identifier: Apache-2.0 */
/* hv/boot/memmap: the map of memory and finding places in it. */
#include "hv/boot/memmap.h"
#include "test/unit/unit.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static void assert_range(const struct mem_map *m, size_t i, u64 start, u64 end,
			 u32 type)
{
	assert_true(i < m->n);
	assert_int_equal(m->range[i].start, start);
	assert_int_equal(m->range[i].end, end);
	assert_int_equal(m->range[i].type, type);
}

/* What memmap.h promises of every map. */
static void assert_sane(const struct mem_map *m)
{
	assert_true(m->n <= MEM_RANGES);
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->range[i];

		assert_true(r->start < r->end);
		if (i) {
			assert_true(r[-1].end <= r->start);
			assert_true(r[-1].end < r->start ||
				    r[-1].type != r->type);
		}
	}
}

/* A PC of 4 GiB, 1 of it above 4 GiB, given in no order. */
static struct mem_map pc(void)
{
	struct mem_map m = {0};

	memmap_add(&m, 4 * GIB, 5 * GIB, MEM_RAM);
	memmap_add(&m, MIB, 3 * GIB, MEM_RAM);
	memmap_add(&m, 0xf0000, MIB, MEM_RESERVED);
	memmap_add(&m, 0, 0x9fc00, MEM_RAM);
	memmap_add(&m, 0x9fc00, 0xa0000, MEM_RESERVED);
	memmap_add(&m, 3 * GIB - MIB, 3 * GIB, MEM_ACPI);
	return m;
}

static void ranges_are_sorted(void **state)
{
	struct mem_map m = pc();

	(void)state;
	assert_sane(&m);
	assert_int_equal(m.n, 6);
	assert_range(&m, 0, 0, 0x9fc00, MEM_RAM);
	assert_range(&m, 3, MIB, 3 * GIB - MIB, MEM_RAM);
	assert_range(&m, 4, 3 * GIB - MIB, 3 * GIB, MEM_ACPI);
	assert_range(&m, 5, 4 * GIB, 5 * GIB, MEM_RAM);
	assert_int_equal(memmap_ram(&m), 0x9fc00 + 4 * GIB - 2 * MIB);
}

static void touching_ranges_merge(void **state)
{
	struct mem_map m = {0};

	(void)state;
	memmap_add(&m, 0, MIB, MEM_RAM);
	memmap_add(&m, 2 * MIB, 3 * MIB, MEM_RAM);
	memmap_add(&m, MIB, 2 * MIB, MEM_RAM);
	assert_int_equal(m.n, 1);
	assert_range(&m, 0, 0, 3 * MIB, MEM_RAM);
	memmap_add(&m, MIB, MIB, MEM_RESERVED); /* empty */
	assert_int_equal(m.n, 1);
	memmap_add(&m, 5, 4, MEM_RESERVED); /* and less than that */
	assert_int_equal(m.n, 1);
	memmap_cut(&m, MIB, MIB);
	memmap_cut(&m, MIB, 5);
	assert_int_equal(m.n, 1);
}

/* RAM that somebody else claims too is not ours to use. */
static void higher_type_wins(void **state)
{
	struct mem_map m = {0};

	(void)state;
	memmap_add(&m, 2 * MIB, 3 * MIB, MEM_RESERVED);
	memmap_add(&m, 5 * MIB, 6 * MIB, MEM_NVS);
	memmap_add(&m, 0, 8 * MIB, MEM_RAM);
	memmap_add(&m, 2 * MIB, 4 * MIB, MEM_ACPI);
	assert_sane(&m);
	assert_int_equal(m.n, 5);
	assert_range(&m, 1, 2 * MIB, 4 * MIB, MEM_ACPI);
	assert_range(&m, 2, 4 * MIB, 5 * MIB, MEM_RAM);
	assert_range(&m, 3, 5 * MIB, 6 * MIB, MEM_NVS);
	assert_range(&m, 4, 6 * MIB, 8 * MIB, MEM_RAM);
}

static void cut_and_reserve(void **state)
{
	struct mem_map m = pc();

	(void)state;
	assert_int_equal(memmap_reserve(&m, GIB, GIB + 64 * MIB), 0);
	assert_range(&m, 3, MIB, GIB, MEM_RAM);
	assert_range(&m, 4, GIB, GIB + 64 * MIB, MEM_RESERVED);
	assert_range(&m, 5, GIB + 64 * MIB, 3 * GIB - MIB, MEM_RAM);
	assert_int_equal(memmap_cut(&m, 2 * GIB, ~0ull), 0);
	assert_range(&m, m.n - 1, GIB + 64 * MIB, 2 * GIB, MEM_RAM);
	assert_int_equal(memmap_cut(&m, 0, 2 * MIB), 0);
	assert_range(&m, 0, 2 * MIB, GIB, MEM_RAM);
	assert_sane(&m);
}

static void full_map_is_an_error(void **state)
{
	struct mem_map m = {0};

	(void)state;
	for (u64 i = 0; i < MEM_RANGES; i++)
		assert_int_equal(
			memmap_add(&m, 2 * i * MIB, (2 * i + 1) * MIB, 1), 0);
	assert_true(memmap_add(&m, 5000 * MIB, 5001 * MIB, 1) < 0);
	assert_true(memmap_set(&m, 1000, 2000, MEM_BAD) < 0);
}

/* Nonsense in any order must not break the promise. */
static void random_maps_stay_sane(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct mem_map m = {0};

		for (int i = 0; i < 60; i++) {
			u64 start, size, type;

			seed = seed * 1103515245u + 12345u;
			start = (seed >> 16 & 0xff) * MIB;
			size = (seed >> 8 & 0x1f) * MIB;
			type = seed >> 24 & 7;
			if (seed & 0x8000000)
				memmap_add(&m, start, start + size, (u32)type);
			else
				memmap_set(&m, start, start + size, (u32)type);
			assert_sane(&m);
		}
	}
}

static void is_ram(void **state)
{
	struct mem_map m = pc();

	(void)state;
	assert_true(memmap_is_ram(&m, MIB, 2 * MIB));
	assert_true(memmap_is_ram(&m, 4 * GIB, 5 * GIB));
	assert_int_equal(memmap_ram_end(&m, 4 * GIB), 5 * GIB);
	assert_int_equal(memmap_ram_end(&m, 5 * GIB - 1), 5 * GIB);
	assert_int_equal(memmap_ram_end(&m, 5 * GIB), 5 * GIB);
	assert_int_equal(memmap_ram_end(&m, 0x9fc00), 0x9fc00);
	assert_false(memmap_is_ram(&m, 0x9fc00, 0x9fc01));
	assert_false(memmap_is_ram(&m, 3 * GIB - MIB - 1, 3 * GIB));
	assert_false(memmap_is_ram(&m, 5 * GIB - 1, 5 * GIB + 1));
	assert_false(memmap_is_ram(&m, 2 * MIB, MIB));
	assert_false(memmap_is_ram(&m, 3 * GIB, 4 * GIB));
}

/* As the hypervisor looks for its block. */
static void find_high(void **state)
{
	struct mem_map m = pc();
	struct mem_range busy[] = {
		{3 * GIB - 40 * MIB, 3 * GIB - 39 * MIB, 0},
		{3 * GIB - 3 * MIB, 3 * GIB, 0},
	};
	struct mem_want w = {
		.size = 16 * MIB,
		.align = 2 * MIB,
		.max = 4 * GIB,
	};

	(void)state;
	assert_int_equal(memmap_find_high(&m, &w), 3 * GIB - 18 * MIB);
	w.busy = busy;
	w.n_busy = 2;
	assert_int_equal(memmap_find_high(&m, &w), 3 * GIB - 20 * MIB);
	w.size = 64 * MIB;
	assert_int_equal(memmap_find_high(&m, &w), 3 * GIB - 104 * MIB);
	w.size = 3 * GIB;
	assert_int_equal(memmap_find_high(&m, &w), MEM_NONE);
	w.size = 512 * MIB;
	w.max = ~0ull;
	assert_int_equal(memmap_find_high(&m, &w), 5 * GIB - 512 * MIB);
	w.min = 5 * GIB - 511 * MIB;
	assert_int_equal(memmap_find_high(&m, &w), MEM_NONE);
}

static void find_low(void **state)
{
	struct mem_map m = pc();
	struct mem_range busy[] = {
		{0, 0x1000, 0},
		{0x8000, 0x9000, 0},
		{MIB, 16 * MIB + 1, 0},
	};
	struct mem_want w = {
		.size = 0x8000,
		.align = 0x1000,
		.max = 4 * GIB,
		.busy = busy,
		.n_busy = ARRAY_SIZE(busy),
	};

	(void)state;
	assert_int_equal(memmap_find_low(&m, &w), 0x9000);
	w.size = 0x100000;
	assert_int_equal(memmap_find_low(&m, &w), 16 * MIB + 0x1000);
	w.align = 2 * MIB;
	assert_int_equal(memmap_find_low(&m, &w), 18 * MIB);
	w.min = 4 * GIB - 1;
	w.max = ~0ull;
	assert_int_equal(memmap_find_low(&m, &w), 4 * GIB);
	w.align = 1ull << 63;
	assert_int_equal(memmap_find_low(&m, &w), MEM_NONE);
	assert_int_equal(memmap_find_high(&m, &w), MEM_NONE);
}

static void find_at_the_end_of_addresses(void **state)
{
	struct mem_map m = {0};
	struct mem_range busy = {~0ull - 0x1000, ~0ull, 0};
	struct mem_want w = {
		.size = 0x1000,
		.align = 0x1000,
		.max = ~0ull,
		.busy = &busy,
	};

	(void)state;
	memmap_add(&m, ~0ull - 0x2fff, ~0ull, MEM_RAM);
	assert_int_equal(memmap_find_high(&m, &w), ~0ull - 0x1fff);
	assert_int_equal(memmap_find_low(&m, &w), ~0ull - 0x2fff);
	w.n_busy = 1;
	assert_int_equal(memmap_find_high(&m, &w), ~0ull - 0x2fff);
	w.min = ~0ull - 0x100;
	assert_int_equal(memmap_find_low(&m, &w), MEM_NONE);
}

static void e820_table(void **state)
{
	struct mem_map m = pc();
	struct e820_entry e[8] = {0};

	(void)state;
	assert_int_equal(memmap_e820(&m, e, 8), 6);
	assert_int_equal(e[5].start, 4 * GIB);
	assert_int_equal(e[5].size, GIB);
	assert_int_equal(e[5].type, MEM_RAM);
	assert_true(memmap_e820(&m, e, 5) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_sorted),
		cmocka_unit_test(touching_ranges_merge),
		cmocka_unit_test(higher_type_wins),
		cmocka_unit_test(cut_and_reserve),
		cmocka_unit_test(full_map_is_an_error),
		cmocka_unit_test(random_maps_stay_sane),
		cmocka_unit_test(is_ram),
		cmocka_unit_test(find_high),
		cmocka_unit_test(find_low),
		cmocka_unit_test(find_at_the_end_of_addresses),
		cmocka_unit_test(e820_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
