/* SPDX-License-Identifier: Apache-2.0 */
/* hv/nested/npt12: the walk of L1's nested page tables. */
#include "hv/nested/npt12.h"

#include <pthread.h>

#include "test/unit/ram.h"
#include "test/unit/unit.h"

/* L1's memory and what is in it. */
#define BASE  0x100000ull
#define SIZE  0x10000ull
#define PML4  (BASE + 0x0000)
#define PDPT  (BASE + 0x1000)
#define PD    (BASE + 0x2000)
#define PT    (BASE + 0x3000)
#define ROOT3 (BASE + 0x4020) /* PAE's, in the middle of a page */
#define PAGE  0x7654321000ull

#define L2PA 0x8080604567ull /* indices 1, 2, 3, 4 */
#define BITS 40

#define FULL (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define AD   (PTE_ACCESSED | PTE_DIRTY)

static struct ram ram;
static struct phys l1;
static struct npt12 npt;
static struct npt12_path path;

static u64 *entry(u64 table, unsigned index)
{
	return (u64 *)(void *)(ram.bytes + (table - BASE)) + index;
}

static int new_ram(void **state)
{
	(void)state;
	ram_new(&ram, BASE, SIZE);
	l1 = ram_phys(&ram);
	assert_true(npt12_init(&npt, PML4, CR4_PAE, EFER_LMA | EFER_NXE, BITS));
	*entry(PML4, 1) = PDPT | FULL;
	*entry(PDPT, 2) = PD | FULL;
	*entry(PD, 3) = PT | FULL;
	*entry(PT, 4) = PAGE | FULL;
	return 0;
}

static int free_ram(void **state)
{
	(void)state;
	free(ram.bytes);
	return 0;
}

static bool walk(u64 access)
{
	memset(&path, 0xee, sizeof(path));
	return npt12_walk(&l1, &npt, L2PA, access, &path);
}

/* The error code of a walk that fails. */
static u64 error(u64 access)
{
	assert_false(walk(access));
	return path.error;
}

static void the_path_is_told(void **state)
{
	(void)state;
	assert_true(walk(0));
	assert_int_equal(path.leaf, 0);
	assert_int_equal(path.l1pa, PAGE | 0x567);
	assert_int_equal(path.table[3], PML4);
	assert_int_equal(path.table[2], PDPT);
	assert_int_equal(path.table[1], PD);
	assert_int_equal(path.table[0], PT);
	assert_int_equal(path.entry[3], PDPT | FULL | PTE_ACCESSED);
	assert_int_equal(path.entry[0], PAGE | FULL | PTE_ACCESSED);
}

static void accessed_and_dirty_are_set_where_the_cpu_does(void **state)
{
	(void)state;
	assert_true(walk(NPF_FETCH));
	assert_int_equal(*entry(PML4, 1), PDPT | FULL | PTE_ACCESSED);
	assert_int_equal(*entry(PDPT, 2), PD | FULL | PTE_ACCESSED);
	assert_int_equal(*entry(PD, 3), PT | FULL | PTE_ACCESSED);
	assert_int_equal(*entry(PT, 4), PAGE | FULL | PTE_ACCESSED);
	assert_true(walk(NPF_WRITE));
	assert_int_equal(*entry(PD, 3), PT | FULL | PTE_ACCESSED);
	assert_int_equal(*entry(PT, 4), PAGE | FULL | AD);
	assert_int_equal(path.entry[0], PAGE | FULL | AD);
}

static void a_walk_that_fails_does_not_touch_the_page(void **state)
{
	(void)state;
	*entry(PT, 4) &= ~(u64)PTE_WRITE;
	assert_int_equal(error(NPF_WRITE), NPF_PRESENT | NPF_WRITE | NPF_USER);
	assert_int_equal(*entry(PT, 4), PAGE | PTE_PRESENT | PTE_USER);
	assert_int_equal(*entry(PD, 3), PT | FULL | PTE_ACCESSED);
}

static void not_present_at_any_level(void **state)
{
	u64 *const all[] = {entry(PML4, 1), entry(PDPT, 2), entry(PD, 3),
			    entry(PT, 4)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		/* What else there is does not count. */
		*all[i] = (*all[i] & ~1ull) | 1ull << 51;
		assert_int_equal(error(0), NPF_USER);
		assert_int_equal(error(NPF_WRITE), NPF_USER | NPF_WRITE);
		assert_int_equal(error(NPF_FETCH), NPF_USER | NPF_FETCH);
		*all[i] = (*all[i] | 1) & ~(1ull << 51);
		assert_true(walk(NPF_WRITE));
	}
}

static void rights_count_at_every_level(void **state)
{
	u64 *const all[] = {entry(PML4, 1), entry(PDPT, 2), entry(PD, 3),
			    entry(PT, 4)};
	u64 p = NPF_PRESENT | NPF_USER;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		u64 was = *all[i];

		*all[i] = was & ~(u64)PTE_WRITE;
		assert_true(walk(0));
		assert_true(walk(NPF_FETCH));
		assert_int_equal(error(NPF_WRITE), p | NPF_WRITE);
		*all[i] = was & ~(u64)PTE_USER;
		assert_int_equal(error(0), p);
		*all[i] = was | PT_NX;
		assert_true(walk(NPF_WRITE));
		assert_int_equal(error(NPF_FETCH), p | NPF_FETCH);
		*all[i] = was;
	}
}

static void fails_as_reserved(u64 *at, u64 bits)
{
	u64 was = *at;

	*at |= bits;
	assert_int_equal(error(0), NPF_PRESENT | NPF_USER | NPF_RESERVED);
	assert_int_equal(error(NPF_WRITE),
			 NPF_PRESENT | NPF_USER | NPF_RESERVED | NPF_WRITE);
	/* Such an entry has not been used. */
	assert_int_equal(*at, was | bits);
	*at = was;
}

static void reserved_bits(void **state)
{
	(void)state;
	fails_as_reserved(entry(PML4, 1), PTE_LARGE);
	fails_as_reserved(entry(PML4, 1), 1ull << BITS);
	fails_as_reserved(entry(PT, 4), 1ull << 51);
	fails_as_reserved(entry(PD, 3), PTE_LARGE); /* PT's low bits */
	fails_as_reserved(entry(PDPT, 2), PTE_LARGE);
	*entry(PT, 4) |= 0x7ff0000000000e00ull; /* available, and PAT */
	*entry(PT, 4) |= PTE_LARGE;
	assert_true(walk(0));
	assert_int_equal(path.l1pa, PAGE | 0x567);
}

static void nx_is_reserved_without_nxe(void **state)
{
	(void)state;
	assert_true(npt12_init(&npt, PML4, CR4_PAE, EFER_LMA, BITS));
	assert_true(walk(NPF_FETCH));
	fails_as_reserved(entry(PD, 3), PT_NX);
	/* No fetch is told from a read then. */
	*entry(PT, 4) = 0;
	assert_int_equal(error(NPF_FETCH), NPF_USER);
}

static void large_pages(void **state)
{
	(void)state;
	*entry(PD, 3) = 0x12200000ull | FULL | PTE_LARGE | 0x1000 /* PAT */;
	assert_true(walk(NPF_WRITE));
	assert_int_equal(path.leaf, 1);
	assert_int_equal(path.l1pa, 0x12200000ull | (L2PA & 0x1fffff));
	assert_int_equal(*entry(PD, 3) & AD, AD);
	*entry(PDPT, 2) = 0x340000000ull | FULL | PTE_LARGE;
	assert_true(walk(0));
	assert_int_equal(path.leaf, 2);
	assert_int_equal(path.l1pa, 0x340000000ull | (L2PA & 0x3fffffff));
	assert_int_equal(*entry(PDPT, 2) & AD, PTE_ACCESSED);
	fails_as_reserved(entry(PDPT, 2), 1ull << 29);
}

static void a_table_that_is_nowhere_reads_as_ones(void **state)
{
	(void)state;
	*entry(PD, 3) = (BASE + SIZE) | FULL;
	assert_int_equal(error(0), NPF_PRESENT | NPF_USER | NPF_RESERVED);
	npt.root = 0;
	assert_int_equal(error(NPF_WRITE),
			 NPF_PRESENT | NPF_USER | NPF_RESERVED | NPF_WRITE);
}

static void beyond_all_levels(void **state)
{
	u64 l1pa;

	(void)state;
	assert_true(npt12_translate(&l1, &npt, L2PA, false, &l1pa));
	assert_false(
		npt12_translate(&l1, &npt, L2PA | 1ull << 48, false, &l1pa));
}

static void translating_is_an_access(void **state)
{
	u64 l1pa = 0;

	(void)state;
	assert_true(npt12_translate(&l1, &npt, L2PA, false, &l1pa));
	assert_int_equal(l1pa, PAGE | 0x567);
	assert_int_equal(*entry(PT, 4) & AD, PTE_ACCESSED);
	assert_true(npt12_translate(&l1, &npt, L2PA, true, &l1pa));
	assert_int_equal(*entry(PT, 4) & AD, AD);
	*entry(PDPT, 2) &= ~(u64)PTE_WRITE;
	assert_false(npt12_translate(&l1, &npt, L2PA, true, &l1pa));
}

/* PAE **********************************************************************/

static bool walk_pae(u64 access)
{
	return npt12_walk(&l1, &npt, 0x80604567, access, &path);
}

static int new_pae(void **state)
{
	new_ram(state);
	assert_true(npt12_init(&npt, ROOT3 | 0x18, CR4_PAE, EFER_NXE, BITS));
	*entry(ROOT3, 2) = PD | PTE_PRESENT;
	return 0;
}

static void pae(void **state)
{
	(void)state;
	assert_true(walk_pae(NPF_WRITE));
	assert_int_equal(path.l1pa, PAGE | 0x567);
	assert_int_equal(path.table[2], ROOT3);
	assert_int_equal(*entry(ROOT3, 2), PD | PTE_PRESENT); /* has no A */
	assert_int_equal(*entry(PT, 4), PAGE | FULL | AD);
	assert_int_equal(path.entry[2] & (FULL | PTE_ACCESSED),
			 FULL | PTE_ACCESSED);
	assert_false(npt12_walk(&l1, &npt, 0x180604567, 0, &path));
	assert_int_equal(path.error, NPF_USER);
}

static void pae_reserves_more(void **state)
{
	static const u64 root_bits[] = {PTE_WRITE, PTE_USER, PTE_ACCESSED,
					PTE_LARGE, PT_NX,    1ull << 52};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(root_bits); i++) {
		*entry(ROOT3, 2) = PD | PTE_PRESENT | root_bits[i];
		assert_false(walk_pae(0));
		assert_int_equal(path.error,
				 NPF_PRESENT | NPF_USER | NPF_RESERVED);
	}
	*entry(ROOT3, 2) = PD | PTE_PRESENT | PTE_PWT | PTE_PCD | 0xe00;
	assert_true(walk_pae(0));
	*entry(PT, 4) |= 1ull << 62;
	assert_false(walk_pae(0));
	assert_int_equal(path.error, NPF_PRESENT | NPF_USER | NPF_RESERVED);
}

static void modes(void **state)
{
	struct npt12 other;

	(void)state;
	assert_false(npt12_init(&other, PML4, 0, 0, BITS));
	assert_false(
		npt12_init(&other, PML4, CR4_PAE | CR4_LA57, EFER_LMA, BITS));
	/* No meaning without long mode. */
	assert_true(npt12_init(&other, ~0ull, CR4_PAE | CR4_LA57, 0, BITS));
	assert_int_equal(other.root, 0xffffffe0);
	assert_int_equal(other.levels, 3);
	assert_true(npt12_init(&other, ~0ull, CR4_PAE, EFER_LMA, 52));
	assert_int_equal(other.root, 0x000ffffffffff000);
	assert_int_equal(other.levels, 4);
	assert_int_equal(other.reserved, PT_NX);
}

/* A race *******************************************************************/

#define ROUNDS 200000

/*
 * L1's side: gives the entry another page and other rights, all in one
 * exchange, and demands that nothing but A and D changes between two of them,
 * and these only where a write was allowed.
 */
static struct {
	bool stop;
	unsigned changes;
	const char *wrong;
} racer;

static u64 racing_entry(u64 i)
{
	static const u64 rights[] = {FULL, PTE_PRESENT | PTE_USER, PTE_USER};

	return (PAGE + i % 256 * PAGE_SIZE) | rights[i % ARRAY_SIZE(rights)];
}

static void *race(void *at)
{
	u64 last = PAGE | FULL;

	for (u64 i = 0; !__atomic_load_n(&racer.stop, __ATOMIC_RELAXED); i++) {
		u64 next = racing_entry(i);
		u64 old =
			__atomic_exchange_n((u64 *)at, next, __ATOMIC_SEQ_CST);

		if ((old & ~(u64)AD) != last)
			racer.wrong = "an entry that is gone was written";
		if ((old & FULL) != FULL && old & AD)
			racer.wrong = "A or D where no write is allowed";
		last = next;
		racer.changes++;
	}
	return NULL;
}

static void l1_may_race(void **state)
{
	u64 mapped = 0;
	pthread_t thread;

	(void)state;
	memset(&racer, 0, sizeof(racer));
	assert_int_equal(pthread_create(&thread, NULL, race, entry(PT, 4)), 0);
	/* At least so often; on one CPU the other has to get its turn, and may
	 * lose it while nothing is mapped. */
	for (u64 i = 0; i < ROUNDS || racer.changes < 1000 || !mapped; i++) {
		if (!walk(NPF_WRITE))
			continue;
		mapped++;
		/* Page and bits are of one moment. */
		assert_int_equal(path.entry[0] & (FULL | AD), FULL | AD);
		assert_int_equal(path.l1pa & ~0xfffull,
				 path.entry[0] & PT_ADDR);
	}
	__atomic_store_n(&racer.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (racer.wrong)
		fail_msg("%s", racer.wrong);
}

#define IN_LONG(test) cmocka_unit_test_setup_teardown(test, new_ram, free_ram)
#define IN_PAE(test)  cmocka_unit_test_setup_teardown(test, new_pae, free_ram)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_LONG(the_path_is_told),
		IN_LONG(accessed_and_dirty_are_set_where_the_cpu_does),
		IN_LONG(a_walk_that_fails_does_not_touch_the_page),
		IN_LONG(not_present_at_any_level),
		IN_LONG(rights_count_at_every_level),
		IN_LONG(reserved_bits),
		IN_LONG(nx_is_reserved_without_nxe),
		IN_LONG(large_pages),
		IN_LONG(a_table_that_is_nowhere_reads_as_ones),
		IN_LONG(beyond_all_levels),
		IN_LONG(translating_is_an_access),
		IN_PAE(pae),
		IN_PAE(pae_reserves_more),
		IN_LONG(modes),
		IN_LONG(l1_may_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
