/* SPDX-License-Identifier: Apache-2.0 */
/* hv/gwalk: each paging mode on hand-made tables. */
#include "hv/gwalk.h"

#include "lib/x86.h"
#include "test/unit/ram.h"

#define RAM_START 0x100000ull
#define RAM_SIZE  0x10000ull
#define ROOT	  0x100000ull
#define TABLE_2	  0x101000ull
#define TABLE_3	  0x102000ull
#define TABLE_4	  0x103000ull
#define PAGE	  0x105000ull
#define AROUND	  PTE_TABLE

static struct ram ram;

static int setup(void **state)
{
	(void)state;
	ram_new(&ram, RAM_START, RAM_SIZE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram.bytes);
	return 0;
}

static void assert_walk(const struct guest_view *g, u64 va, u64 want)
{
	struct phys p = ram_phys(&ram);
	u64 pa = 0;

	assert_true(gwalk(&p, g, va, &pa));
	assert_int_equal(pa, want);
}

static void assert_no_walk(const struct guest_view *g, u64 va)
{
	struct phys p = ram_phys(&ram);
	u64 pa;

	assert_false(gwalk(&p, g, va, &pa));
}

static void without_paging(void **state)
{
	struct guest_view g = {.cr3 = ROOT};

	(void)state;
	assert_walk(&g, 0x12345, 0x12345);
}

static void legacy(void **state)
{
	struct guest_view g = {
		.cr0 = CR0_PG, .cr3 = ROOT | 0x18, .mode = X86_32};

	(void)state;
	ram_put32(&ram, ROOT + 4ull * 0x301, TABLE_2 | AROUND);
	ram_put32(&ram, TABLE_2 + 4ull * 0x23, PAGE | AROUND);
	ram_put32(&ram, ROOT + 4ull * 2,
		  0x00c00000 | 0x2000 | PTE_LARGE | AROUND);
	assert_walk(&g, 0xc0423456, PAGE + 0x456);
	assert_no_walk(&g, 0xc0424456);
	assert_no_walk(&g, 0x00400000);
	g.cr4 = CR4_PSE;
	assert_walk(&g, 0x00812345, 0x100c12345); /* bit 32 by PSE-36 */
}

static void pae(void **state)
{
	struct guest_view g = {.cr0 = CR0_PG,
			       .cr3 = ROOT + 0x20,
			       .cr4 = CR4_PAE,
			       .mode = X86_32};

	(void)state;
	ram_put64(&ram, ROOT + 0x20 + 8ull * 3, TABLE_2 | PTE_PRESENT);
	ram_put64(&ram, TABLE_2 + 8ull * 1, TABLE_3 | AROUND);
	ram_put64(&ram, TABLE_3 + 8ull * 2, PAGE | AROUND | 1ull << 63);
	ram_put64(&ram, TABLE_2 + 8ull * 5, 0x12345600000 | PTE_LARGE | AROUND);
	assert_walk(&g, 0xc0202123, PAGE + 0x123);
	assert_walk(&g, 0xc0abcdef, 0x123456bcdef);
	assert_no_walk(&g, 0x00202123);
}

static void long_mode(void **state)
{
	struct guest_view g = {.cr0 = CR0_PG,
			       .cr3 = ROOT | 0x3,
			       .cr4 = CR4_PAE,
			       .efer = EFER_LMA,
			       .mode = X86_64};

	(void)state;
	ram_put64(&ram, ROOT + 8ull * 511, TABLE_2 | AROUND);
	ram_put64(&ram, TABLE_2 + 8ull * 510, TABLE_3 | AROUND);
	ram_put64(&ram, TABLE_3 + 8ull * 8, TABLE_4 | AROUND);
	ram_put64(&ram, TABLE_4 + 8ull * 1, PAGE | AROUND);
	ram_put64(&ram, TABLE_2 + 8ull * 511, 0x40000000 | PTE_LARGE | AROUND);
	assert_walk(&g, 0xffffffff81001abc, PAGE + 0xabc);
	assert_walk(&g, 0xffffffffc1234567, 0x41234567);
	assert_no_walk(&g, 0xffffffff81002000);
	/* One level more: the same root is a PML5 now. */
	ram_put64(&ram, ROOT + 8ull * 1, ROOT | AROUND);
	g.cr4 |= CR4_LA57;
	assert_walk(&g, 0x0001ffff81001abc, PAGE + 0xabc);
}

static void tables_outside_memory(void **state)
{
	struct guest_view g = {.cr0 = CR0_PG,
			       .cr3 = RAM_START + RAM_SIZE,
			       .cr4 = CR4_PAE,
			       .efer = EFER_LMA,
			       .mode = X86_64};

	(void)state;
	assert_no_walk(&g, 0);
	ram_put64(&ram, ROOT, ~0xfffull >> 12 << 12 | AROUND);
	g.cr3 = ROOT;
	assert_no_walk(&g, 0);
}

static void reads_across_pages(void **state)
{
	struct guest_view g = {.cr0 = CR0_PG, .cr3 = ROOT, .mode = X86_32};
	struct phys p = ram_phys(&ram);
	char text[8] = "";

	(void)state;
	ram_put32(&ram, ROOT, TABLE_2 | AROUND);
	ram_put32(&ram, TABLE_2, PAGE | AROUND);
	ram_put32(&ram, TABLE_2 + 4, (PAGE + 0x2000) | AROUND);
	ram_put(&ram, PAGE + 0xffd, "abc", 3);
	ram_put(&ram, PAGE + 0x2000, "defg", 5);
	assert_int_equal(gwalk_read(&p, &g, 0xffd, text, 8), 8);
	assert_string_equal(text, "abcdefg");
	/* The page behind is missing: what there is. */
	assert_int_equal(gwalk_read(&p, &g, 0x1ffe, text, 8), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_paging, setup,
						teardown),
		cmocka_unit_test_setup_teardown(legacy, setup, teardown),
		cmocka_unit_test_setup_teardown(pae, setup, teardown),
		cmocka_unit_test_setup_teardown(long_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_outside_memory, setup,
						teardown),
		cmocka_unit_test_setup_teardown(reads_across_pages, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
