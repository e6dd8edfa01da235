/* SPDX-License-Identifier: Apache-2.0 */
/* lib/exit: the slots of both vendors; hv/account: counting and the ring. */
#include "hv/account.h"
#include "lib/exit.h"
#include "lib/vmcb.h"
#include "test/unit/unit.h"

static void svm_codes_have_slots(void **state)
{
	(void)state;
	assert_int_equal(exit_slot_svm(VMCB_EXIT_CPUID), EXIT_cpuid);
	assert_int_equal(exit_slot_svm(VMCB_EXIT_CR_READ), EXIT_cr_read);
	assert_int_equal(exit_slot_svm(VMCB_EXIT_CR_READ + 15), EXIT_cr_read);
	assert_int_equal(exit_slot_svm(VMCB_EXIT_CR_WRITE), EXIT_cr_write);
	assert_int_equal(exit_slot_svm(VMCB_EXIT_EXCEPTION + 31),
			 EXIT_exception);
	assert_int_equal(exit_slot_svm(VMCB_EXIT_INTR), EXIT_intr);
	assert_int_equal(exit_slot_svm(VMCB_EXIT_NPF), EXIT_npf);
	assert_int_equal(exit_slot_svm(0x3ff), EXIT_unknown);
	assert_int_equal(exit_slot_svm(VMCB_EXIT_INVALID), EXIT_invalid);
	assert_int_equal(exit_slot_svm(0xffffffff), EXIT_invalid);
}

static void svm_codes_have_a_table(void **state)
{
	enum { CODES = 0x404 };
	u8 table[CODES + 1];

	(void)state;
	table[CODES] = 0xaa;
	exit_table_svm(table, CODES);
	for (u64 code = 0; code < CODES; code++)
		assert_int_equal(table[code], exit_slot_svm(code));
	assert_int_equal(table[CODES], 0xaa);
}

static void vmx_reasons_have_slots(void **state)
{
	(void)state;
	assert_int_equal(exit_slot_vmx(10), EXIT_cpuid);
	assert_int_equal(exit_slot_vmx(48), EXIT_npf);
	assert_int_equal(exit_slot_vmx(0x80000021), EXIT_entry_state);
	assert_int_equal(exit_slot_vmx(35), EXIT_unknown);
	assert_int_equal(exit_slot_vmx(74), exit_slot_svm(0xa5));
	assert_int_equal(exit_slot_vmx(0xffff), EXIT_unknown);
}

/* Intel SDM vol. 3, appendix C: the numbers that it leaves out. */
static void vmx_has_no_gaps(void **state)
{
	static const u8 unused[] = {35, 38, 42, 71};

	(void)state;
	for (u32 reason = 0; reason < 80; reason++) {
		bool known = !memchr(unused, (int)reason, sizeof(unused));

		assert_int_equal(exit_slot_vmx(reason) != EXIT_unknown, known);
	}
}

/* Two rows with one code would make the second one unreachable. */
static void no_code_is_twice(void **state)
{
	unsigned seen[EXIT_SLOTS] = {0};

	(void)state;
	for (unsigned code = 0; code < 0x410; code++)
		seen[exit_slot_svm(code)] = 1;
	for (unsigned reason = 0; reason < 0x80; reason++)
		seen[exit_slot_vmx(reason)] = 1;
	for (unsigned slot = EXIT_invalid + 1; slot < EXIT_SLOTS; slot++) {
		if (!seen[slot])
			print_error("%s\n", exit_name((enum exit_slot)slot));
		assert_int_equal(seen[slot], 1);
	}
}

static char printed[4096];

static void __attribute__((format(printf, 1, 2))) print(const char *fmt, ...)
{
	size_t used = strlen(printed);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(printed + used, sizeof(printed) - used, fmt, ap);
	va_end(ap);
}

static void exits_are_counted_once(void **state)
{
	static struct account a;
	const struct exit cpuid = {.slot = EXIT_cpuid, .code = 0x72};
	const struct exit npf = {.slot = EXIT_npf, .code = 0x400};

	(void)state;
	account_exit(&a, 1, &cpuid, 0x1000, BY_L0);
	account_exit(&a, 1, &cpuid, 0x1002, BY_L0);
	account_exit(&a, 2, &npf, 0x2000, BY_L1);
	assert_int_equal(account_sum(&a, 1, BY_L0), 2);
	assert_int_equal(account_sum(&a, 1, BY_L1), 0);
	assert_int_equal(account_sum(&a, 2, BY_L1), 1);
	account_dump(&a, print);
	assert_non_null(strstr(printed, "L1 CPUID"));
	assert_non_null(strstr(printed, "L2 nested page fault"));
}

static void ring_keeps_the_last(void **state)
{
	static struct account a;

	(void)state;
	assert_null(account_past(&a, 0));
	for (u64 i = 0; i < ACCOUNT_RING + 3; i++)
		account_exit(&a, 1, &(struct exit){.slot = EXIT_msr}, i, BY_L0);
	printed[0] = '\0';
	account_dump_ring(&a, print);
	assert_null(strstr(printed, "rip 2 "));
	assert_non_null(strstr(printed, "rip 3 "));
	assert_non_null(strstr(printed, "rip 12 "));
	assert_int_equal(account_past(&a, 0)->rip, ACCOUNT_RING + 2);
	assert_int_equal(account_past(&a, ACCOUNT_RING - 1)->rip, 3);
	assert_null(account_past(&a, ACCOUNT_RING));
	assert_null(account_past(&a, ~0ull));
}

/* One exit of L1, one of L2 that went to L1, one that did not. */
static void counts_add_up(void **state)
{
	static struct account good;
	const struct exit exit = {.slot = EXIT_npf};
	struct nested_counts n = {.vmruns = 2, 1, 1, .level = 1};
	struct account bad;

	(void)state;
	account_exit(&good, 1, &exit, 0, BY_L0);
	account_exit(&good, 2, &exit, 0, BY_L0);
	account_exit(&good, 2, &exit, 0, BY_L1);
	assert_null(account_check(&good, &n));
	n.level = 2;
	assert_non_null(account_check(&good, &n));
	n.vmruns++;
	assert_null(account_check(&good, &n));
	n.made_up++;
	assert_non_null(account_check(&good, &n));
	n = (struct nested_counts){.vmruns = 2, 2, 0, .level = 1};
	assert_non_null(account_check(&good, &n));
	n = (struct nested_counts){.vmruns = 2, 1, 1, .level = 1};
	bad = good;
	bad.past++;
	assert_non_null(account_check(&bad, &n));
	bad = good;
	bad.count[0][EXIT_npf][BY_L0]--;
	bad.count[0][EXIT_npf][BY_L1]++;
	assert_non_null(account_check(&bad, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svm_codes_have_slots),
		cmocka_unit_test(svm_codes_have_a_table),
		cmocka_unit_test(vmx_reasons_have_slots),
		cmocka_unit_test(vmx_has_no_gaps),
		cmocka_unit_test(no_code_is_twice),
		cmocka_unit_test(exits_are_counted_once),
		cmocka_unit_test(ring_keeps_the_last),
		cmocka_unit_test(counts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
