/* SPDX-License-Identifier: Apache-2.0 */
/* hv/nested/merge: what vmcb02 gets of L0's and L1's wishes. */
#include "hv/nested/merge.h"

#include "lib/x86.h"
#include "test/unit/unit.h"

#define WORDS (PAGE_SIZE / sizeof(u64))

static u64 map01[WORDS], map12[WORDS], map02[WORDS];

static void ports_exit_for_either(void **state)
{
	(void)state;
	for (u64 i = 0; i < WORDS; i++) {
		map01[i] = i * 0x0101010101010101;
		map12[i] = i << 17;
	}
	merge_ports(map02, map01, map12);
	for (u64 i = 0; i < WORDS; i++)
		assert_int_equal(map02[i], map01[i] | map12[i]);
}

static void ports_without_a_map_exit(void **state)
{
	(void)state;
	merge_ports(map02, map01, NULL);
	for (u64 i = 0; i < WORDS; i++)
		assert_int_equal(map02[i], ~0ull);
}

/* One intercept of L1's, and which ones vmcb02 then has beside it. */
static void qemus_reads(void **state)
{
	(void)state;
	for (u32 code = 0; code <= VMCB_EXIT_CHOSEN_MAX; code++) {
		struct vmcb v12 = {0}, v02 = {0}, want = {0};

		vmcb_intercept(&v12, code);
		merge_reads(v02.control.intercept, v12.control.intercept);
		if (code < VMCB_EXIT_CR_WRITE)
			vmcb_intercept(&want, VMCB_EXIT_CR_READ);
		if (code == VMCB_EXIT_RDTSCP)
			vmcb_intercept(&want, VMCB_EXIT_RDTSC);
		assert_memory_equal(v02.control.intercept,
				    want.control.intercept,
				    sizeof(want.control.intercept));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_exit_for_either),
		cmocka_unit_test(ports_without_a_map_exit),
		cmocka_unit_test(qemus_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
