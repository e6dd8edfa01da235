/* SPDX-License-Identifier: Apache-2.0 */
/* lib/acpi: tables that are found, are damaged, and that L1 gets instead. */
#include "lib/acpi.h"
#include "test/unit/ram.h"

#define RSDP 0xf5a40
#define RSDT 0x2000
#define XSDT 0x2100
#define MADT 0x3000
#define HPET 0x4000
#define FADT 0x5000
#define NEW  0x80000

static struct ram ram; /* the first MiB */
static struct phys phys;
static struct acpi acpi;
static const char *why;

static u8 *at(u64 pa)
{
	return ram.bytes + pa;
}

static void seal(u64 pa, size_t n, size_t checksum)
{
	u8 total = 0;

	*at(pa + checksum) = 0;
	for (size_t i = 0; i < n; i++)
		total = (u8)(total + *at(pa + i));
	*at(pa + checksum) = (u8)-total;
}

static void put_table(u64 pa, const char *name, u32 length)
{
	ram_put(&ram, pa, name, 4);
	ram_put32(&ram, pa + 4, length);
	seal(pa, length, 9);
}

static void put_rsdp(u64 pa, u8 revision, u32 rsdt, u64 xsdt)
{
	ram_put(&ram, pa, "RSD PTR ", 8);
	*at(pa + 15) = revision;
	ram_put32(&ram, pa + 16, rsdt);
	ram_put32(&ram, pa + 20, 36);
	ram_put64(&ram, pa + 24, xsdt);
	seal(pa, 20, 8);
	seal(pa, 36, 32);
}

static void put_cpu(u64 pa, u8 apic_id, u32 flags)
{
	*at(pa) = 0;
	*at(pa + 1) = 8;
	*at(pa + 3) = apic_id;
	ram_put32(&ram, pa + 4, flags);
}

static void put_x2cpu(u64 pa, u32 apic_id, u32 flags)
{
	*at(pa) = 9;
	*at(pa + 1) = 16;
	ram_put32(&ram, pa + 4, apic_id);
	ram_put32(&ram, pa + 8, flags);
}

/* The root names FADT, MADT, HPET and nothing (0), in this order. */
static int setup(void **state)
{
	static const u32 tables[] = {FADT, MADT, HPET, 0};

	(void)state;
	ram_new(&ram, 0, 1 << 20);
	phys = ram_phys(&ram);
	why = NULL;
	for (u32 i = 0; i < 4; i++) {
		ram_put32(&ram, RSDT + 36 + i * 4, tables[i]);
		ram_put64(&ram, XSDT + 36 + (u64)i * 8, tables[i]);
	}
	put_table(RSDT, "RSDT", 36 + 4 * 4);
	put_table(XSDT, "XSDT", 36 + 4 * 8);
	put_table(FADT, "FACP", 244);
	put_table(HPET, "HPET", 56);
	ram_put32(&ram, MADT + 36, 0xfee00000);
	put_cpu(MADT + 44, 0, 1);
	put_cpu(MADT + 52, 2, 1);
	put_table(MADT, "APIC", 60);
	put_rsdp(RSDP, 2, RSDT, XSDT);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram.bytes);
	return 0;
}

static int open_at(u64 rsdp)
{
	return acpi_open(&acpi, &phys, rsdp, &why);
}

static void root_is_found(void **state)
{
	u64 pa;

	(void)state;
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi.rsdp, RSDP);
	assert_int_equal(acpi.root, XSDT);
	assert_int_equal(acpi.n, 4);
	assert_ptr_equal(acpi_table(&acpi, "HPET", &pa), at(HPET));
	assert_int_equal(pa, HPET);
	assert_null(acpi_table(&acpi, "DMAR", NULL));
	assert_int_equal(open_at(RSDP), 0);
	assert_true(open_at(RSDP + 16) < 0);
	assert_true(open_at(~0ull) < 0);
}

static void root_in_the_ebda(void **state)
{
	(void)state;
	memset(at(RSDP), 0, 36);
	assert_true(open_at(0) < 0);
	assert_string_equal(why, "there is no intact ACPI root pointer");
	ram_put(&ram, 0x40e, "\xc0\x9f", 2);
	put_rsdp(0x9fc00 + 1008, 0, RSDT, 0);
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi.root, RSDT);
	assert_non_null(acpi_table(&acpi, "HPET", NULL));
	memset(at(0x9fc00 + 1008), 0, 36);
	put_rsdp(0x9fc00 + 1024, 0, RSDT, 0); /* too far up */
	assert_true(open_at(0) < 0);
}

/* One that is damaged is passed over, another may follow. */
static void damaged_roots(void **state)
{
	(void)state;
	*at(RSDP + 10) ^= 1;
	assert_true(open_at(0) < 0);
	put_rsdp(RSDP + 0x100, 2, RSDT, XSDT);
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi.rsdp, RSDP + 0x100);
	*at(RSDP + 0x100 + 33) ^= 1; /* only in the second checksum */
	assert_true(open_at(0) < 0);
	put_rsdp(RSDP + 0x100, 0, RSDT, XSDT);
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi.root, RSDT);
}

static void damaged_tables(void **state)
{
	(void)state;
	*at(HPET + 40) ^= 1;
	assert_int_equal(open_at(0), 0);
	assert_null(acpi_table(&acpi, "HPET", NULL));
	*at(XSDT + 40) ^= 1; /* the RSDT will do */
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi.root, RSDT);
	assert_int_equal(acpi.n, 4);
	assert_non_null(acpi_table(&acpi, "APIC", NULL));
	*at(RSDT + 40) ^= 1;
	assert_true(open_at(0) < 0);
	assert_string_equal(why, "there is no intact XSDT or RSDT");
	assert_int_equal(acpi.root, 0);
	assert_null(acpi_table(&acpi, "APIC", NULL));
}

static void absurd_lengths(void **state)
{
	static const u32 lengths[] = {0, 35, 0x100000, 0x7fffffff, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		ram_put32(&ram, HPET + 4, lengths[i]);
		assert_int_equal(open_at(0), 0);
		assert_null(acpi_table(&acpi, "HPET", NULL));
	}
	ram_put64(&ram, XSDT + 36 + 16, ~0ull - 8);
	put_table(XSDT, "XSDT", 36 + 4 * 8);
	assert_int_equal(open_at(0), 0);
	assert_null(acpi_table(&acpi, "HPET", NULL));
	put_table(XSDT, "XSDT", 36 + (ACPI_TABLES + 1) * 8);
	assert_true(open_at(0) < 0);
	assert_string_equal(why, "there are too many ACPI tables");
	assert_int_equal(acpi.root, 0);
	assert_null(acpi_table(&acpi, "APIC", NULL));
	put_table(XSDT, "XSDT", 36 + 7); /* no whole entry */
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi.n, 0);
}

static void cpus_are_listed(void **state)
{
	struct acpi_cpus c;

	(void)state;
	put_cpu(MADT + 60, 3, 0);   /* cannot be used */
	put_cpu(MADT + 68, 4, 2);   /* later perhaps */
	put_x2cpu(MADT + 76, 2, 1); /* the same as above */
	put_x2cpu(MADT + 92, 0x1234, 1);
	put_cpu(MADT + 108, 0xff, 1); /* not a CPU's number */
	*at(MADT + 116) = 5;
	*at(MADT + 117) = 12;
	ram_put64(&ram, MADT + 120, 0x1fee00000);
	*at(MADT + 128) = 77;
	*at(MADT + 129) = 3;
	put_table(MADT, "APIC", 131);
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi_list_cpus(&acpi, &c, &why), 0);
	assert_int_equal(c.lapic, 0x1fee00000);
	assert_int_equal(c.n, 4);
	assert_int_equal(c.cpu[1].apic_id, 2);
	assert_int_equal(c.cpu[2].apic_id, 4);
	assert_int_equal(c.cpu[2].flags, ACPI_CPU_CAPABLE);
	assert_int_equal(c.cpu[3].apic_id, 0x1234);
	assert_int_equal(c.cpu[3].flags, ACPI_CPU_ENABLED);
}

static void assert_no_cpus(u32 length, const char *reason)
{
	struct acpi_cpus c;

	put_table(MADT, "APIC", length);
	assert_int_equal(open_at(0), 0);
	assert_true(acpi_list_cpus(&acpi, &c, &why) < 0);
	assert_string_equal(why, reason);
	assert_int_equal(c.n, 0);
}

static void bad_madt(void **state)
{
	(void)state;
	assert_no_cpus(43, "there is no intact MADT");
	assert_no_cpus(59, "the MADT is garbage");
	assert_no_cpus(53, "the MADT is garbage");
	*at(MADT + 53) = 0;
	assert_no_cpus(60, "the MADT is garbage");
	*at(MADT + 53) = 1;
	assert_no_cpus(60, "the MADT is garbage");
	*at(MADT + 53) = 7;
	assert_no_cpus(59, "the MADT has an entry that is too short");
	*at(MADT + 53) = 8;
	*at(MADT + 52) = 9;
	assert_no_cpus(60, "the MADT has an entry that is too short");
	*at(MADT + 52) = 5;
	assert_no_cpus(60, "the MADT has an entry that is too short");
}

static void too_many_cpus(void **state)
{
	struct acpi_cpus c;

	(void)state;
	for (u32 i = 0; i <= ACPI_CPUS; i++)
		put_x2cpu(HPET + 44 + (u64)i * 16, i, 1);
	put_table(HPET, "APIC", 44 + ACPI_CPUS * 16);
	put_table(MADT, "XXXX", 60);
	assert_int_equal(open_at(0), 0);
	assert_int_equal(acpi_list_cpus(&acpi, &c, &why), 0);
	assert_int_equal(c.n, ACPI_CPUS);
	put_table(HPET, "APIC", 44 + (ACPI_CPUS + 1) * 16);
	assert_true(acpi_list_cpus(&acpi, &c, &why) < 0);
	assert_string_equal(why, "there are too many CPUs");
	assert_int_equal(c.n, 0);
}

static void tables_are_hidden_and_added(void **state)
{
	static const char hide[][4] = {{'H', 'P', 'E', 'T'}};
	struct acpi_writer own = {.to = at(0x70000), .size = 64};
	struct acpi_writer w = {.to = at(NEW), .size = 1024};
	const u64 add[] = {0x70000, 5ull << 32};
	struct acpi_edit edit = {hide, 1, add, 2};
	struct acpi old;

	(void)state;
	acpi_begin(&own, "NEST", 1);
	acpi_append(&own, "hello", 5);
	assert_int_equal(acpi_end(&own, &why), 41);
	assert_int_equal(open_at(0), 0);
	old = acpi;
	assert_true(acpi_rewrite(&old, &edit, &w, NEW, &why) > 0);
	assert_int_equal(open_at(NEW), 0);
	assert_int_equal(acpi.entry_size, 8);
	assert_int_equal(acpi.n, 4); /* FACP, APIC, and two added */
	assert_null(acpi_table(&acpi, "HPET", NULL));
	assert_ptr_equal(acpi_table(&acpi, "FACP", NULL), at(FADT));
	assert_memory_equal(acpi_table(&acpi, "NEST", NULL) + 1, "hello", 5);
	*at(NEW + 15) = 0; /* the same by the RSDT */
	seal(NEW, 20, 8);
	assert_int_equal(open_at(NEW), 0);
	assert_int_equal(acpi.entry_size, 4);
	assert_int_equal(acpi.n, 3);
	assert_null(acpi_table(&acpi, "HPET", NULL));
	assert_non_null(acpi_table(&acpi, "NEST", NULL));
	assert_non_null(acpi_table(&old, "HPET", NULL));
}

static void rewrite_keeps_to_its_room(void **state)
{
	struct acpi_edit edit = {0};
	int need;

	(void)state;
	assert_int_equal(open_at(0), 0);
	for (size_t size = 0; size < 256; size++) {
		struct acpi_writer w = {.to = malloc(size + !size)};
		int used;

		assert_non_null(w.to);
		w.size = size;
		used = acpi_rewrite(&acpi, &edit, &w, NEW, &why);
		need = 48 + 48 + 36 + 3 * 8;
		assert_int_equal(used, size < (size_t)need ? -1 : need);
		free(w.to);
	}
}

static void rewrite_elsewhere(void **state)
{
	struct acpi_writer w = {.to = at(NEW), .size = 256};
	struct acpi_edit edit = {0};

	(void)state;
	assert_int_equal(open_at(0), 0);
	assert_true(acpi_rewrite(&acpi, &edit, &w, NEW + 8, &why) < 0);
	assert_true(acpi_rewrite(&acpi, &edit, &w, 1ull << 32, &why) < 0);
	assert_true(acpi_rewrite(&acpi, &edit, &w, 0xffffff80, &why) < 0);
	assert_string_equal(why, "ACPI tables cannot be placed there");
}

/* A MADT with one more entry, as for a wake-up mailbox. */
static void table_is_copied_and_extended(void **state)
{
	struct acpi_writer w = {.to = at(NEW), .size = 68};
	static const u8 more[8] = {0, 8, 0, 7, 1};
	struct acpi_cpus c;

	(void)state;
	assert_int_equal(open_at(0), 0);
	acpi_begin_copy(&w, acpi_table(&acpi, "APIC", NULL));
	acpi_append(&w, more, sizeof(more));
	assert_int_equal(acpi_end(&w, &why), 68);
	ram_put64(&ram, XSDT + 36 + 8, NEW);
	put_table(XSDT, "XSDT", 36 + 4 * 8);
	assert_int_equal(acpi_list_cpus(&acpi, &c, &why), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.cpu[2].apic_id, 7);
	acpi_append(&w, more, 1);
	assert_true(acpi_end(&w, &why) < 0);
	assert_string_equal(why, "no room for an ACPI table");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(root_is_found),
		TEST(root_in_the_ebda),
		TEST(damaged_roots),
		TEST(damaged_tables),
		TEST(absurd_lengths),
		TEST(cpus_are_listed),
		TEST(bad_madt),
		TEST(too_many_cpus),
		TEST(tables_are_hidden_and_added),
		TEST(rewrite_keeps_to_its_room),
		TEST(rewrite_elsewhere),
		TEST(table_is_copied_and_extended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
