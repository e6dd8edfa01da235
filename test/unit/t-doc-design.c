/* SPDX-License-Identifier: Apache-2.0 */
/* The design that doc/walk.md shows, compiled from that page: it does what the
 * page says. */
#include "test/unit/unit.h"

#include "test/unit/fake_mmu.h"
#include "walk/designs.h"

#define AT 0x7f0000000000ull

extern const struct design design_hashed;

static void hashed_reads_one_entry_or_none(void **state)
{
	struct fake f;
	struct err err;
	u32 cycles;

	(void)state;
	fake_init(&f, ENV_NATIVE, PAGES_4K, SIZE_4K);
	f.mmu.design = &design_hashed;
	assert_int_equal(design_hashed.start(&f.mmu, &err), 0);
	fake_map(&f, AT, 1 << 20);
	cycles = fake_walk(&f, &design_hashed, AT);
	assert_int_equal(cycles, 2 + fake_cycles(f.ref[0].pa));
	assert_int_equal(f.refs, 1);
	assert_int_equal(fake_walk(&f, &design_hashed, AT + 8), 2);
	assert_int_equal(f.refs, 0);
	fake_event(&f, NBT_UNMAP, ARGS(AT, 4096));
	fake_map(&f, AT, 4096);
	fake_walk(&f, &design_hashed, AT);
	assert_int_equal(f.refs, 1);
	fake_free(&f);
}

static void the_rest_is_refused(void **state)
{
	(void)state;
	assert_null(design_hashed.refused[ENV_NATIVE]);
	assert_non_null(design_hashed.refused[ENV_VIRT]);
	assert_non_null(design_hashed.refused[ENV_NESTED]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashed_reads_one_entry_or_none),
		cmocka_unit_test(the_rest_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
