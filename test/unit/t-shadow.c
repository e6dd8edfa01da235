/* SPDX-License-Identifier: Apache-2.0 */
/* hv/nested: NPT02 and the flush, case by case. See also t-shadow-random. */
#include "test/unit/npt_machine.h"

#include "hv/space.h"

#define PAGES 256

/* L1's tables, and what they map. */
#define PML4  (RAM_START + 0x200000)
#define PDPT  (RAM_START + 0x201000)
#define PD    (RAM_START + 0x202000)
#define PT    (RAM_START + 0x203000)
#define PT2   (RAM_START + 0x800000) /* in another large page of NPT01 */
#define ROOT3 (RAM_START + 0x204060) /* PAE's */
#define PAGE  (RAM_START + 0x1234000)

#define FULL (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define AD   (PTE_ACCESSED | PTE_DIRTY)

#define L2PA	 0x40000321ull /* indices 0, 1, 0, 0 */
#define PDPTE	 (PDPT + 8)
#define LARGE	 (FULL | PTE_LARGE)
#define GIB	 0x40000000ull
#define HUGE_L2	 (2 * GIB) /* index 2 of PDPT */
#define LARGE_L2 (L2PA + SIZE_2M)

static struct npt12 npt;
static u64 info, pa;

static struct shadow_stats stats(void)
{
	struct shadow_stats s;

	shadow_read_stats(&s);
	return s;
}

static int new_tables(void **state)
{
	(void)state;
	machine_new(PAGES);
	assert_true(npt12_init(&npt, PML4, CR4_PAE, EFER_LMA | EFER_NXE,
			       SPACE_BITS));
	l1_write(PML4, PDPT | FULL);
	l1_write(PDPTE, PD | FULL);
	l1_write(PD, PT | FULL);
	l1_write(PT, PAGE | FULL);
	return 0;
}

static bool hits(u64 l2pa, u64 access)
{
	return cpu_walk(shadow_root(&npt), l2pa, access, &pa);
}

/* L2 accesses; faults as often as that takes. Returns their number, or the
 * result that ends it. */
#define FAULTED	  (-1)
#define MET_TRAP  (-2)
#define MAX_TRIES 3

static int access_l2(u64 l2pa, u64 access)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		if (hits(l2pa, access))
			return i;
		switch (shadow_fault(&npt, l2pa, access | NPF_FINAL, &info)) {
		case SHADOW_FILLED:
			break;
		case SHADOW_FAULT:
			return FAULTED;
		case SHADOW_TRAPPED:
			return MET_TRAP;
		}
	}
	fail_msg("L2 gets no further");
	return 0;
}

static void filled_on_demand(void **state)
{
	(void)state;
	assert_false(hits(L2PA, 0));
	assert_int_equal(access_l2(L2PA, NPF_WRITE), 1);
	assert_int_equal(pa, PAGE | 0x321);
	assert_int_equal(access_l2(L2PA, NPF_FETCH), 0);
	assert_int_equal(stats().fills, 1);
	assert_int_equal(*l1_at(PT), PAGE | FULL | AD);
	assert_int_equal(*l1_at(PDPTE), PD | FULL | PTE_ACCESSED);
}

static void the_first_write_exits(void **state)
{
	(void)state;
	assert_int_equal(access_l2(L2PA, 0), 1);
	assert_int_equal(*l1_at(PT), PAGE | FULL | PTE_ACCESSED);
	assert_false(hits(L2PA, NPF_WRITE));
	assert_int_equal(access_l2(L2PA, NPF_WRITE), 1);
	assert_int_equal(*l1_at(PT), PAGE | FULL | AD);
	assert_int_equal(access_l2(L2PA, NPF_WRITE), 0);
}

static void error_codes(void **state)
{
	static const u64 where[] = {NPF_FINAL, NPF_TABLE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		l1_write(PT, 0);
		assert_int_equal(shadow_fault(&npt, L2PA,
					      NPF_WRITE | NPF_USER | where[i],
					      &info),
				 SHADOW_FAULT);
		assert_int_equal(info, NPF_WRITE | NPF_USER | where[i]);
		/* The CPU's P is NPT02's, and its RSV never NPT12's. */
		l1_write(PT, PAGE | PTE_PRESENT | PTE_USER);
		assert_int_equal(
			shadow_fault(&npt, L2PA,
				     NPF_WRITE | NPF_RESERVED | where[i],
				     &info),
			SHADOW_FAULT);
		assert_int_equal(info,
				 NPF_PRESENT | NPF_WRITE | NPF_USER | where[i]);
		l1_write(PT, PAGE | FULL | 1ull << 50);
		shadow_fault(&npt, L2PA, NPF_FETCH | where[i], &info);
		assert_int_equal(info, NPF_PRESENT | NPF_USER | NPF_RESERVED |
					       NPF_FETCH | where[i]);
	}
	assert_int_equal(stats().faults, 6);
}

/* Of rights and addresses, at the leaf and above it. */
static void a_flush_makes_it_new(void **state)
{
	(void)state;
	access_l2(L2PA, NPF_WRITE);
	l1_write(PT, PAGE | FULL | PTE_ACCESSED);
	shadow_flush();
	assert_false(hits(L2PA, NPF_WRITE)); /* L1 took D */
	assert_true(hits(L2PA, 0));
	access_l2(L2PA, NPF_WRITE);
	l1_write(PT, PAGE | FULL | PTE_DIRTY);
	shadow_flush();
	assert_false(hits(L2PA, 0)); /* L1 took A */
	access_l2(L2PA, NPF_WRITE);
	l1_write(PDPTE, PD | FULL | PTE_ACCESSED | PT_NX);
	shadow_flush();
	assert_false(hits(L2PA, NPF_FETCH));
	assert_true(hits(L2PA, NPF_WRITE));
	l1_write(PT, (PAGE + PAGE_SIZE) | FULL | AD);
	shadow_flush();
	assert_int_equal(access_l2(L2PA, 0), 1);
	assert_int_equal(pa, (PAGE + PAGE_SIZE) | 0x321);
	l1_write(PML4, 0);
	shadow_flush();
	assert_int_equal(access_l2(L2PA, 0), FAULTED);
}

static void what_was_not_flushed_may_be_old(void **state)
{
	(void)state;
	access_l2(L2PA, NPF_WRITE);
	l1_write(PT, 0);
	assert_true(hits(L2PA, NPF_WRITE));
	shadow_flush();
	assert_false(hits(L2PA, 0));
}

static void nothing_new_costs_nothing(void **state)
{
	struct shadow_stats before;
	unsigned shoots;

	(void)state;
	access_l2(L2PA, NPF_WRITE);
	shadow_flush(); /* L1 wrote these tables */
	assert_int_equal(stats().revalidated, 4);
	assert_int_equal(stats().kept, 4);
	before = stats();
	shoots = machine.shoots;
	for (unsigned i = 0; i < 10; i++) {
		l1_write(PAGE, i); /* no table */
		shadow_flush();
		assert_int_equal(access_l2(L2PA, NPF_WRITE), 0);
	}
	assert_int_equal(stats().flushes, before.flushes + 10);
	assert_int_equal(stats().revalidated, before.revalidated);
	assert_int_equal(stats().fills, before.fills);
	assert_int_equal(machine.shoots, shoots);
	l1_write(PT + 8, PAGE | FULL);
	shadow_flush();
	assert_int_equal(stats().revalidated, before.revalidated + 1);
	assert_int_equal(stats().dropped, 0);
	assert_int_equal(access_l2(L2PA, NPF_WRITE), 0);
}

/* L0's own writes to NPT12 make nothing dirty. */
static void accessed_bits_are_no_change(void **state)
{
	(void)state;
	l1_write(PT + 8, PAGE | FULL);
	access_l2(L2PA, 0);
	shadow_flush();
	access_l2(L2PA, NPF_WRITE);
	access_l2(L2PA + PAGE_SIZE, 0);
	shadow_flush();
	assert_int_equal(stats().revalidated, 4);
}

static void one_page_at_two_levels(void **state)
{
	(void)state;
	/* PD is a page table, too: of what PD's entry 1 would map. */
	l1_write(PD + 8, PD | FULL);
	assert_int_equal(access_l2(L2PA, NPF_WRITE), 1);
	assert_int_equal(access_l2(L2PA + SIZE_2M, NPF_WRITE), 1);
	assert_int_equal(pa & PT_ADDR, PT);
	shadow_flush();
	l1_write(PD, PT2 | FULL | AD);
	shadow_flush();
	assert_false(hits(L2PA, 0));
	assert_false(hits(L2PA + SIZE_2M, 0));
	access_l2(L2PA + SIZE_2M, 0);
	assert_int_equal(pa & PT_ADDR, PT2);
}

static void roots_share_tables(void **state)
{
	struct npt12 other = npt;
	size_t pages;

	(void)state;
	access_l2(L2PA, NPF_WRITE);
	pages = stats().free_pages;
	other.root = PT2;
	l1_write(PT2 + 8, PDPT | FULL);
	shadow_fault(&other, L2PA + 512 * GIB, NPF_WRITE, &info);
	assert_true(cpu_walk(shadow_root(&other), L2PA + 512 * GIB, NPF_WRITE,
			     &pa));
	/* The root and a page table of NPT01. */
	assert_int_equal(stats().free_pages, pages - 2);
	l1_write(PML4, 0);
	shadow_flush();
	assert_false(hits(L2PA, 0));
	assert_true(cpu_walk(shadow_root(&other), L2PA + 512 * GIB, NPF_WRITE,
			     &pa));
	l1_write(PT2 + 8, 0);
	shadow_flush();
	assert_int_equal(stats().free_pages + stats().split_pages,
			 stats().pages - 1); /* hits() asked for a root */
}

/* Large pages **************************************************************/

static void large_where_both_are(void **state)
{
	(void)state;
	l1_write(PD + 8, (RAM_START + 0x400000) | LARGE);
	assert_int_equal(access_l2(LARGE_L2 + 0x5000, NPF_WRITE), 1);
	assert_int_equal(pa, RAM_START + 0x405321);
	assert_int_equal(cpu_level(shadow_root(&npt), LARGE_L2), 1);
	l1_write(PDPT + 16, (8 * GIB) | LARGE);
	assert_int_equal(access_l2(HUGE_L2 + 0x12345678, 0), 1);
	assert_int_equal(pa, 8 * GIB + 0x12345678);
	assert_int_equal(cpu_level(shadow_root(&npt), HUGE_L2), 2);
	assert_false(hits(HUGE_L2, NPF_WRITE));
	assert_int_equal(access_l2(HUGE_L2, NPF_WRITE), 1);
	shadow_flush();
	shadow_flush();
	assert_int_equal(access_l2(LARGE_L2, NPF_WRITE), 0);
	assert_int_equal(access_l2(HUGE_L2, NPF_WRITE), 0);
	/* The same address, but a table now. */
	l1_write(PD + 8, (RAM_START + 0x400000) | FULL | AD);
	shadow_flush();
	assert_int_equal(access_l2(LARGE_L2, 0), FAULTED);
}

#define PIECE (HUGE_L2 + (TRAPPED - RAM_START) - PAGE_SIZE)

/* 1 GiB with all of L1's RAM, L0's block and the trapped page in it. */
static void pieces_around_what_is_trapped(void **state)
{
	u64 root;

	(void)state;
	l1_write(PDPT + 16, RAM_START | LARGE);
	root = shadow_root(&npt);
	assert_int_equal(access_l2(HUGE_L2, 0), 1);
	assert_int_equal(cpu_level(root, HUGE_L2), 1);
	assert_int_equal(access_l2(PIECE, 0), 1);
	assert_int_equal(cpu_level(root, PIECE), 0);
	assert_int_equal(access_l2(PIECE + 0x1123, 0), MET_TRAP);
	assert_int_equal(info, TRAPPED + 0x123);
	assert_int_equal(access_l2(HUGE_L2 + (BLOCK - RAM_START), 0), MET_TRAP);
	assert_int_equal(info, BLOCK);
	assert_int_equal(stats().trapped, 2);
	/* Rights are those of the one page of NPT12. */
	assert_false(hits(PIECE, NPF_WRITE));
	assert_int_equal(access_l2(HUGE_L2, NPF_WRITE), 1);
	assert_true(hits(PIECE, NPF_WRITE));
	shadow_flush();
	assert_true(hits(PIECE, NPF_WRITE));
	l1_write(PDPT + 16, 8 * GIB | LARGE | AD);
	shadow_flush();
	assert_false(hits(PIECE, 0));
}

static void trapped_pages(void **state)
{
	static const u64 pages[] = {TRAPPED, BLOCK, BLOCK_END - PAGE_SIZE,
				    1ull << SPACE_BITS};

	(void)state;
	npt.reserved = 0; /* as if L1's addresses were larger than NPT01 */
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		l1_write(PT, pages[i] | FULL);
		assert_int_equal(access_l2(L2PA, 0), MET_TRAP);
		assert_int_equal(info, pages[i] | 0x321);
		assert_int_equal(access_l2(L2PA, NPF_WRITE), MET_TRAP);
		/* L1 comes before L0. */
		l1_write(PT, pages[i] | PTE_PRESENT | PTE_USER);
		assert_int_equal(access_l2(L2PA, NPF_WRITE), FAULTED);
	}
}

static void tables_that_l1_does_not_have(void **state)
{
	(void)state;
	l1_write(PD, BLOCK | FULL);
	assert_int_equal(access_l2(L2PA, 0), FAULTED);
	assert_true(info & NPF_RESERVED);
	npt.root = TRAPPED;
	assert_int_equal(access_l2(L2PA, 0), FAULTED);
	assert_true(info & NPF_RESERVED);
}

/* PAE **********************************************************************/

static void pae(void **state)
{
	(void)state;
	assert_true(npt12_init(&npt, ROOT3, CR4_PAE, EFER_NXE, SPACE_BITS));
	l1_write(ROOT3 + 8, PD | PTE_PRESENT);
	assert_int_equal(access_l2(L2PA, NPF_WRITE), 1);
	assert_int_equal(pa, PAGE | 0x321);
	shadow_flush();
	assert_int_equal(access_l2(L2PA, NPF_WRITE), 0);
	l1_write(PT, *l1_at(PT) | 1ull << 62); /* reserved without long mode */
	shadow_flush();
	assert_int_equal(access_l2(L2PA, 0), FAULTED);
	l1_write(ROOT3 + 8, 0);
	shadow_flush();
	assert_int_equal(access_l2(L2PA, 0), FAULTED);
	assert_int_equal(access_l2(L2PA + 4 * GIB, 0), FAULTED);
	assert_int_equal(stats().free_pages + stats().split_pages,
			 stats().pages - 1); /* the root just asked for */
}

/* Memory *******************************************************************/

static void all_pages_come_back(void **state)
{
	unsigned level;

	(void)state;
	access_l2(L2PA, 0);
	assert_true(stats().free_pages < stats().pages - 4);
	space_entry(PT, &level);
	assert_int_equal(level, 0);
	shadow_drop();
	assert_int_equal(stats().free_pages, stats().pages);
	assert_int_equal(stats().split_pages, 0);
	assert_int_equal(*space_entry(PT, &level) & AD, AD);
	assert_int_equal(level, 1);
	assert_int_equal(access_l2(L2PA, 0), 1);
}

/* L1 frees its tables and uses their pages for something else. */
static void a_dead_root_costs_nothing(void **state)
{
	static const u64 tables[] = {PML4, PDPT, PD, PT};
	struct npt12 other = npt;
	struct shadow_stats before;
	u64 generation;
	unsigned shoots;

	(void)state;
	/* One that lives: it maps itself, at all levels. */
	other.root = PT2;
	l1_write(PT2, PT2 | FULL);
	shadow_fault(&other, 0, 0, &info);
	access_l2(L2PA, NPF_WRITE);
	shadow_flush();
	generation = shadow_generation;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (u64 at = 0; at < PAGE_SIZE; at += 8)
			l1_write(tables[i] + at, 0x5555aaaa5555aaaa);
	shadow_flush();
	assert_int_not_equal(shadow_generation, generation);
	before = stats();
	shoots = machine.shoots;
	assert_int_equal(before.free_pages + before.split_pages,
			 before.pages - PT_LEVELS);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		l1_write(tables[i], 0);
	shadow_flush();
	assert_int_equal(stats().revalidated, before.revalidated);
	assert_int_equal(machine.shoots, shoots);
}

/* More page tables than pages, each in another large page of NPT01. */
static void eviction(void **state)
{
	u64 generation, n = 15;

	(void)state;
	machine_new(SHADOW_MIN_PAGES);
	l1_write(PML4, PDPT | FULL);
	l1_write(PDPTE, PD | FULL);
	for (u64 i = 0; i < n; i++) {
		u64 table = RAM_START + i * SIZE_2M + 0x7000;

		l1_write(PD + 8 * i, table | FULL);
		l1_write(table, (PAGE + i * PAGE_SIZE) | FULL);
	}
	generation = shadow_generation;
	for (u64 i = 0; i < 5 * n; i++) {
		access_l2(L2PA + i % n * SIZE_2M, NPF_WRITE);
		assert_int_equal(pa, (PAGE + i % n * PAGE_SIZE) | 0x321);
		assert_true(stats().free_pages <= SHADOW_MIN_PAGES);
	}
	assert_true(stats().evictions >= 3);
	assert_int_not_equal(shadow_generation, generation);
	assert_true(machine.shoots >= stats().evictions);
	shadow_drop();
	assert_int_equal(stats().free_pages, SHADOW_MIN_PAGES);
}

#define TEST(test) cmocka_unit_test_setup(test, new_tables)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(filled_on_demand),
		TEST(the_first_write_exits),
		TEST(error_codes),
		TEST(a_flush_makes_it_new),
		TEST(what_was_not_flushed_may_be_old),
		TEST(nothing_new_costs_nothing),
		TEST(accessed_bits_are_no_change),
		TEST(one_page_at_two_levels),
		TEST(roots_share_tables),
		TEST(large_where_both_are),
		TEST(pieces_around_what_is_trapped),
		TEST(trapped_pages),
		TEST(tables_that_l1_does_not_have),
		TEST(pae),
		TEST(all_pages_come_back),
		TEST(a_dead_root_costs_nothing),
		TEST(eviction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
