/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk/vma: mappings at random, compared with a model that has a note for each
 * page: VMAs are the runs of pages with equal notes.
 */
#include "test/unit/dice.h"
#include "test/unit/unit.h"
#include "walk/vma.h"

#define PAGES 96u
#define STEPS 60000u
#define BASE  0x7f0000000000ull

static u64 seed;

static u64 draw(u64 n)
{
	return dice_below(&seed, n);
}

struct note {
	u32 prot, object;
	bool mapped, not_fork;
	u8 huge;
};

static u64 page(u64 n)
{
	return BASE + (n << 12);
}

static bool same(const struct note *a, const struct note *b)
{
	return a->mapped == b->mapped && a->not_fork == b->not_fork &&
	       a->prot == b->prot && a->object == b->object &&
	       a->huge == b->huge;
}

static void compare(const struct vmas *s, const struct note *model)
{
	size_t i = 0;

	for (unsigned n = 0; n < PAGES;) {
		unsigned from = n;
		const struct vma *v = vmas_find(s, page(from));

		while (++n < PAGES && same(&model[n], &model[from]))
			;
		assert_int_equal(v != NULL, model[from].mapped);
		assert_int_equal(vmas_overlap(s, page(from), page(n)), !!v);
		if (!v)
			continue;
		assert_ptr_equal(v, &s->v[i++]);
		assert_int_equal(v->start, page(from));
		assert_int_equal(v->end, page(n));
		assert_int_equal(v->prot, model[from].prot);
		assert_int_equal(v->object, model[from].object);
		assert_int_equal(v->huge, model[from].huge);
		assert_int_equal(v->not_fork, model[from].not_fork);
	}
	assert_int_equal(i, s->n);
}

static void protect(struct vma *v, u32 prot)
{
	v->prot = prot;
}

static void advise(struct vma *v, u32 huge)
{
	v->huge = huge;
}

static void dont_fork(struct vma *v, u32 yes)
{
	v->not_fork = yes;
}

static void map_some(struct vmas *s, struct note *model, u64 from, u64 to)
{
	struct vma v = {.start = page(from),
			.end = page(to),
			.prot = draw(3),
			.object = draw(3)};

	assert_int_equal(vmas_put(s, &v), 0);
	for (u64 n = from; n < to; n++)
		model[n] = (struct note){
			.mapped = true, .prot = v.prot, .object = v.object};
}

static void change_some(struct vmas *s, struct note *model, u64 from, u64 to)
{
	void (*const change[])(struct vma *, u32) = {protect, advise,
						     dont_fork};
	u64 which = draw(3), to_what = draw(2);

	assert_int_equal(
		vmas_change(s, page(from), page(to), change[which], to_what),
		0);
	for (u64 n = from; n < to; n++) {
		if (!model[n].mapped)
			continue;
		if (which == 0)
			model[n].prot = to_what;
		else if (which == 1)
			model[n].huge = to_what;
		else
			model[n].not_fork = to_what;
	}
}

static void test_random_mappings(void **state)
{
	static struct note model[PAGES];
	struct vmas s = {0};

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		u64 from = draw(PAGES), to = from + draw(PAGES - from + 1);

		switch (draw(4)) {
		case 0:
			assert_int_equal(vmas_cut(&s, page(from), page(to)), 0);
			memset(&model[from], 0, (to - from) * sizeof(*model));
			break;
		case 1:
			map_some(&s, model, from, to);
			break;
		default:
			change_some(&s, model, from, to);
		}
		compare(&s, model);
	}
	vmas_free(&s);
}

static void test_child_gets_what_may_be_forked(void **state)
{
	struct vmas s = {0}, child = {0};
	struct vma a = {.start = page(0), .end = page(4)};
	struct vma b = {.start = page(4), .end = page(8), .not_fork = true};

	(void)state;
	assert_int_equal(vmas_put(&s, &a), 0);
	assert_int_equal(vmas_put(&s, &b), 0);
	assert_int_equal(vmas_fork(&child, &s), 0);
	assert_int_equal(child.n, 1);
	assert_int_equal(child.v[0].end, page(4));
	vmas_free(&s);
	vmas_free(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_mappings),
		cmocka_unit_test(test_child_gets_what_may_be_forked),
	};

	seed = DICE_START;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
