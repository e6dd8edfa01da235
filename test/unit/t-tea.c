/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk/tea: clusters by the rule of 2 %, areas that grow, shrink, split and
 * move, registers, and the same at random with what has to hold always.
 */
#include "test/unit/dice.h"
#include "test/unit/unit.h"
#include "walk/tea.h"

#define MIB    (1ull << 20)
#define UNIT   (2 * MIB) /* addresses of a table page */
#define AT     0x7f0000000000ull
#define AREA   (1ull << 40)
#define UNITS  4096ull /* of the address space of the random test */
#define ROUNDS 3000u

static u64 seed;

static u64 draw(u64 n)
{
	return dice_below(&seed, n);
}

struct world {
	struct vmas vmas;
	struct teas teas;
	struct tea_area area;
	struct tea_work work;
};

static void start(struct world *w, u64 pages)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(tea_area_init(&w->area, AREA, pages << 12), 0);
}

static void end(struct world *w)
{
	vmas_free(&w->vmas);
	teas_free(&w->teas);
	tea_area_free(&w->area);
}

static void update(struct world *w)
{
	w->work = (struct tea_work){0};
	assert_int_equal(
		teas_update(&w->teas, SIZE_4K, &w->vmas, &w->area, &w->work),
		0);
}

static void map(struct world *w, u64 from, u64 to)
{
	static u32 object; /* so that neighbours stay two VMAs */
	struct vma v = {.start = from, .end = to, .prot = 1};

	v.object = ++object;
	assert_int_equal(vmas_put(&w->vmas, &v), 0);
	update(w);
}

static void unmap(struct world *w, u64 from, u64 to)
{
	assert_int_equal(vmas_cut(&w->vmas, from, to), 0);
	update(w);
}

static const struct tea *tea(const struct world *w, size_t i)
{
	assert_true(i < w->teas.list[SIZE_4K].n);
	return &w->teas.list[SIZE_4K].t[i];
}

static void test_entry_is_base_and_page(void **state)
{
	struct world w;

	(void)state;
	start(&w, 1000);
	map(&w, AT + 3 * UNIT, AT + 8 * UNIT);
	assert_int_equal(tea(&w, 0)->base, AREA);
	assert_int_equal(tea_entry(tea(&w, 0), AT + 3 * UNIT), AREA);
	assert_int_equal(tea_entry(tea(&w, 0), AT + 3 * UNIT + 0x5000),
			 AREA + 0x28);
	assert_int_equal(tea_entry(tea(&w, 0), AT + 7 * UNIT + 0xfff),
			 AREA + 0x4000);
	assert_int_equal(w.work.allocated, 5);
	assert_int_equal(w.work.calls, 1);
	end(&w);
}

static void test_bubbles_of_2_percent_are_merged(void **state)
{
	struct world w;

	(void)state;
	start(&w, 1000);
	map(&w, AT, AT + 49 * UNIT);
	map(&w, AT + 50 * UNIT, AT + 51 * UNIT); /* 1 of 51 */
	assert_int_equal(w.teas.list[SIZE_4K].n, 1);
	assert_int_equal(w.area.in_use, 51);
	unmap(&w, AT + 50 * UNIT, AT + 51 * UNIT);
	unmap(&w, AT + 40 * UNIT, AT + 49 * UNIT);
	map(&w, AT + 41 * UNIT, AT + 42 * UNIT); /* 1 of 42 */
	assert_int_equal(w.teas.list[SIZE_4K].n, 2);
	assert_int_equal(w.area.in_use, 41);
	end(&w);
}

/* Such as a program's memory and the kernel's, in traces of systems. */
static void test_far_apart_are_two(void **state)
{
	struct world w;

	(void)state;
	start(&w, 1000);
	map(&w, 0x7ffd070c9000, 0x7ffd070ea000);
	map(&w, 0xffffffffff600000, 0xffffffffff601000);
	assert_int_equal(w.teas.list[SIZE_4K].n, 2);
	assert_int_equal(w.area.in_use, 2);
	end(&w);
}

static void test_one_table_page_is_in_one_tea(void **state)
{
	struct world w;

	(void)state;
	start(&w, 1000);
	map(&w, AT, AT + 0x1000);
	map(&w, AT + MIB, AT + MIB + 0x1000);
	assert_int_equal(w.teas.list[SIZE_4K].n, 1);
	assert_int_equal(w.area.in_use, 1);
	end(&w);
}

static void test_growth_in_place(void **state)
{
	struct world w;

	(void)state;
	start(&w, 1000);
	map(&w, AT, AT + 10 * UNIT);
	map(&w, AT + 10 * UNIT, AT + 30 * UNIT);
	assert_int_equal(tea(&w, 0)->base, AREA);
	assert_int_equal(w.area.in_use, 30);
	assert_int_equal(w.work.allocated, 20);
	assert_int_equal(w.work.moved, 0);
	end(&w);
}

static void test_growth_that_moves(void **state)
{
	struct world w;

	(void)state;
	start(&w, 1000);
	map(&w, AT, AT + 10 * UNIT);
	map(&w, AT + 1000 * UNIT, AT + 1001 * UNIT); /* stands behind */
	map(&w, AT + 10 * UNIT, AT + 30 * UNIT);
	assert_int_equal(tea(&w, 0)->base, AREA + (11 << 12));
	assert_int_equal(w.area.in_use, 31);
	assert_int_equal(w.work.allocated, 20);
	assert_int_equal(w.work.moved, 10);
	end(&w);
}

static void test_split_stays_in_place(void **state)
{
	struct world w;

	(void)state;
	start(&w, 1000);
	map(&w, AT, AT + 30 * UNIT);
	unmap(&w, AT + 10 * UNIT, AT + 20 * UNIT);
	assert_int_equal(tea(&w, 0)->base, AREA);
	assert_int_equal(tea(&w, 1)->base, AREA + (20 << 12));
	assert_int_equal(w.area.in_use, 20);
	assert_int_equal(w.work.allocated + w.work.moved, 0);
	end(&w);
}

static void test_no_room_is_no_tea_until_there_is(void **state)
{
	struct world w;

	(void)state;
	start(&w, 20);
	map(&w, AT + 1000 * UNIT, AT + 1015 * UNIT);
	map(&w, AT, AT + 10 * UNIT);
	assert_false(tea(&w, 0)->present);
	assert_true(tea(&w, 1)->present);
	assert_int_equal(w.area.in_use, 15);
	unmap(&w, AT + 1000 * UNIT, AT + 1015 * UNIT);
	assert_true(tea(&w, 0)->present);
	assert_int_equal(w.area.in_use, 10);
	end(&w);
}

static void test_reserved_memory_has_none(void **state)
{
	struct vma v = {.start = AT, .end = AT + 50 * UNIT};
	struct world w;

	(void)state;
	start(&w, 100);
	assert_int_equal(vmas_put(&w.vmas, &v), 0);
	update(&w);
	assert_int_equal(w.teas.list[SIZE_4K].n, 0);
	end(&w);
}

static void test_registers_hold_the_largest(void **state)
{
	struct world w;

	(void)state;
	start(&w, 100000);
	for (u64 i = 0; i < 20; i++) /* 1 to 20 units, far from each other */
		map(&w, AT + i * 10000 * UNIT,
		    AT + (i * 10000 + 1 + (i * 7) % 20) * UNIT);
	assert_true(teas_load(&w.teas, TEA_REGISTERS));
	assert_false(teas_load(&w.teas, TEA_REGISTERS));
	assert_int_equal(w.teas.regs, 16);
	for (u64 i = 0; i < 16; i++)
		assert_int_equal(tea_pages(&w.teas.reg[i]), 20 - i);
	assert_true(teas_load(&w.teas, 2));
	assert_int_equal(w.teas.regs, 2);
	end(&w);
}

static void test_large_pages_have_their_own(void **state)
{
	struct world w;
	struct vma v = {.start = AT + MIB, .end = AT + 2048 * MIB, .prot = 1};

	(void)state;
	start(&w, 10000);
	assert_int_equal(vmas_put(&w.vmas, &v), 0);
	w.teas.pages = PAGES_THP;
	update(&w);
	assert_int_equal(w.area.in_use, 1); /* for what is below AT + 2 MiB */
	assert_int_equal(
		teas_update(&w.teas, SIZE_2M, &w.vmas, &w.area, &w.work), 0);
	assert_int_equal(w.teas.list[SIZE_2M].n, 1);
	assert_int_equal(w.area.in_use, 1 + 2);
	teas_load(&w.teas, TEA_REGISTERS);
	assert_int_equal(w.teas.regs, 2);
	assert_int_equal(tea_entry(&w.teas.list[SIZE_2M].t[0], AT + 6 * MIB),
			 w.teas.list[SIZE_2M].t[0].base + 0x18);
	end(&w);
}

/* At random ****************************************************************/

static u64 bubbles(const struct vmas *vmas, u64 from, u64 to)
{
	u64 used = 0;

	for (size_t i = 0; i < vmas->n; i++)
		if (vmas->v[i].start >= from && vmas->v[i].end <= to)
			used += vmas->v[i].end - vmas->v[i].start;
	return to - from - used;
}

/* Bytes of VMAs in a TEA: first and last. */
static void bounds(const struct world *w, const struct tea *t, u64 *from,
		   u64 *to)
{
	*from = ~0ull;
	*to = 0;
	for (size_t i = 0; i < w->vmas.n; i++) {
		const struct vma *v = &w->vmas.v[i];

		if (v->start < t->start || v->start >= t->end)
			continue;
		*from = v->start < *from ? v->start : *from;
		*to = v->end > *to ? v->end : *to;
	}
}

static void check_pair(const struct world *w, const struct tea *a,
		       const struct tea *b)
{
	u64 from, middle, to;

	assert_true(a->end <= b->start);
	bounds(w, a, &from, &middle);
	bounds(w, b, &middle, &to);
	assert_true(bubbles(&w->vmas, from, to) * 50 > to - from);
}

static void check(const struct world *w)
{
	const struct tea_list *l = &w->teas.list[SIZE_4K];
	static u8 used[1 << 16];
	u64 pages = 0;

	memset(used, 0, sizeof(used));
	for (size_t i = 0; i < l->n; i++) {
		const struct tea *t = &l->t[i];

		assert_int_equal(t->start % UNIT + t->end % UNIT, 0);
		assert_ptr_equal(teas_gtea(&w->teas, t->gtea), t);
		if (i)
			check_pair(w, t - 1, t);
		if (!t->present)
			continue;
		for (u64 n = 0; n < tea_pages(t); n++)
			assert_int_equal(used[((t->base - AREA) >> 12) + n]++,
					 0);
		pages += tea_pages(t);
	}
	assert_int_equal(w->area.in_use, pages);
	for (size_t i = 0; i < w->vmas.n; i++) {
		const struct vma *v = &w->vmas.v[i];
		size_t n = 0;

		while (n < l->n && l->t[n].end <= v->start)
			n++;
		assert_true(n < l->n && l->t[n].start <= v->start &&
			    v->end <= l->t[n].end);
	}
}

/* Entries that stay where they are do not count as moved. */
static void test_random(void **state)
{
	struct world w;

	(void)state;
	start(&w, 5000);
	for (unsigned i = 0; i < ROUNDS; i++) {
		u64 from = draw(UNITS * 512);
		u64 length = draw(1ull << draw(19)) + 1;

		if (draw(3))
			map(&w, AT + (from << 12),
			    AT + ((from + length) << 12));
		else
			unmap(&w, AT + (from << 12),
			      AT + ((from + 4 * length) << 12));
		check(&w);
	}
	unmap(&w, 0, ~0xfffull);
	assert_int_equal(w.area.in_use, 0);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_is_base_and_page),
		cmocka_unit_test(test_bubbles_of_2_percent_are_merged),
		cmocka_unit_test(test_far_apart_are_two),
		cmocka_unit_test(test_one_table_page_is_in_one_tea),
		cmocka_unit_test(test_growth_in_place),
		cmocka_unit_test(test_growth_that_moves),
		cmocka_unit_test(test_split_stays_in_place),
		cmocka_unit_test(test_no_room_is_no_tea_until_there_is),
		cmocka_unit_test(test_reserved_memory_has_none),
		cmocka_unit_test(test_registers_hold_the_largest),
		cmocka_unit_test(test_large_pages_have_their_own),
		cmocka_unit_test(test_random),
	};

	seed = DICE_START;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
