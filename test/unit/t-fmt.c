/* SPDX-License-Identifier: Apache-2.0 */
/* lib/fmt against the C library's snprintf(). */
#include "lib/fmt.h"
#include "test/unit/unit.h"

#define SAME(...)                                                       \
	do {                                                            \
		char ours[64], theirs[64];                              \
		size_t n = fmt_format(ours, sizeof(ours), __VA_ARGS__); \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__);  \
		assert_string_equal(ours, theirs);                      \
		assert_int_equal(n, (size_t)m);                         \
	} while (0)

static void conversions_agree(void **state)
{
	(void)state;
	SAME("plain %% text");
	SAME("%s|%10s|%-10s|%.2s", "abc", "abc", "abc", "abc");
	SAME("%c%c", 'x', 'y');
	SAME("%d %d %d", 0, -1, 2147483647);
	SAME("%5d|%-5d|%05d", 42, 42, -42);
	SAME("%u %x %08x", 4294967295u, 0xdeadbeefu, 0x1fu);
	SAME("%ld %lu %lx", -5000000000L, 18446744073709551615UL, 0xfeedUL);
	SAME("%lld %llx %zu", -1LL, 0x123456789abcdefULL, (size_t)7);
}

static void truncation_is_counted(void **state)
{
	char small[4] = "zzz";

	(void)state;
	assert_int_equal(fmt_format(small, sizeof(small), "%s", "abcdef"), 6);
	assert_string_equal(small, "abc");
	assert_int_equal(fmt_format(NULL, 0, "%d", 12345), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversions_agree),
		cmocka_unit_test(truncation_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
