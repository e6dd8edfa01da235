/* SPDX-License-Identifier: Apache-2.0 */
/* walk/space: VMAs of a trace that has none. */
#include "test/unit/memory_trace.h"
#include "test/unit/unit.h"
#include "walk/space_inline.h"

#define AT    0x7f0000000000ull
#define MIB   (1ull << 20)
#define CHUNK (2 * MIB)
#define PAGE  0x1000ull
#define MAX   4096u

static struct {
	struct keys keys;
	struct profile profile;
	struct space *space;
	struct nbt_reader trace;
	u64 addr[MAX];
} t;

static void start(void)
{
	struct walk_spec spec = {.env = ENV_NATIVE,
				 .pages = PAGES_THP,
				 .profile = &t.profile,
				 .keys = &t.keys};
	struct err err;

	memset(&t, 0, sizeof(t));
	t.profile.levels = 4;
	keys_init(&t.keys);
	t.trace.addr = t.addr;
	t.space = space_new(&spec, &err);
	assert_non_null(t.space);
}

static void access_to(u64 at)
{
	assert_true(t.trace.count < MAX);
	t.addr[t.trace.count++] = at;
}

static void guess(void)
{
	struct err err;

	assert_int_equal(space_guess(t.space, &t.trace, &err), 0);
	assert_int_equal(t.keys.used, 0);
}

static void assert_vma(u16 process, size_t i, u64 from, u64 to)
{
	const struct process *p = t.space->process[process];

	assert_non_null(p);
	assert_true(i < p->vmas.n);
	assert_int_equal(p->vmas.v[i].start, from);
	assert_int_equal(p->vmas.v[i].end, to);
}

static size_t vmas(u16 process)
{
	const struct process *p = t.space->process[process];

	return p ? p->vmas.n : 0;
}

static void test_neighbours_are_one(void **state)
{
	(void)state;
	start();
	for (u64 i = 40; i-- > 0;)
		access_to(AT + i * CHUNK + i * 3 * PAGE);
	guess();
	assert_int_equal(vmas(0), 1);
	assert_vma(0, 0, AT, AT + CHUNK * 39 + PAGE * (3 * 39 + 1));
	space_free(t.space);
}

/* Of 51 chunks one may be a bubble, of 49 none. */
static void test_bubbles(void **state)
{
	(void)state;
	start();
	for (u64 i = 0; i < 51; i++)
		if (i != 49)
			access_to(AT + CHUNK * i);
	for (u64 i = 1000; i < 1049; i++)
		if (i != 1047)
			access_to(AT + CHUNK * i);
	guess();
	assert_int_equal(vmas(0), 3);
	assert_vma(0, 0, AT, AT + CHUNK * 50 + PAGE);
	assert_vma(0, 1, AT + CHUNK * 1000, AT + CHUNK * 1046 + PAGE);
	assert_vma(0, 2, AT + CHUNK * 1048, AT + CHUNK * 1048 + PAGE);
	space_free(t.space);
}

/* A VMA goes on from one region of keys to the next, whatever came first. */
static void test_regions_do_not_divide(void **state)
{
	const u64 border = AT + (1ull << REGION_SHIFT);

	(void)state;
	start();
	access_to(border);
	access_to(border - 1);
	guess();
	assert_int_equal(vmas(0), 1);
	assert_vma(0, 0, border - PAGE, border + PAGE);
	space_free(t.space);
}

static void test_processes_have_their_own(void **state)
{
	struct nbt_run runs[] = {{.process = 3}, {.at = 1, .process = 5}};

	(void)state;
	start();
	access_to(AT);
	access_to(AT + CHUNK);
	t.trace.run = runs;
	t.trace.runs = 2;
	guess();
	assert_int_equal(vmas(3), 1);
	assert_vma(3, 0, AT, AT + PAGE);
	assert_int_equal(vmas(5), 1);
	assert_vma(5, 0, AT + CHUNK, AT + CHUNK + PAGE);
	space_free(t.space);
}

static void test_too_many_regions_fail(void **state)
{
	struct err err;

	(void)state;
	start();
	for (u64 i = 0; i <= REGIONS; i++)
		access_to(AT + (i << REGION_SHIFT));
	assert_int_equal(space_guess(t.space, &t.trace, &err), -1);
	space_free(t.space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbours_are_one),
		cmocka_unit_test(test_bubbles),
		cmocka_unit_test(test_regions_do_not_divide),
		cmocka_unit_test(test_processes_have_their_own),
		cmocka_unit_test(test_too_many_regions_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
