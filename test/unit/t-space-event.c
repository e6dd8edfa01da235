/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk/space: system calls and accesses at random. Which pages and tables are
 * in use, and how large the pages are, is compared with a model that has a note
 * for each page and does to it what the manual pages say.
 */
#include <sys/mman.h>

#include "test/unit/dice.h"
#include "test/unit/unit.h"
#include "walk/space_inline.h"

#define CHUNK	       512ull /* pages */
#define CHUNKS	       6ull
#define PAGES	       (CHUNKS * CHUNK)
#define PROCESSES_USED 3u
#define ROUNDS	       3000u
#define BASE	       0x7f0000000000ull

enum use { NOT, SMALL, LARGE };

struct note {
	bool mapped, private;
	u32 prot, object;
	u8 huge;
	enum use use;
};

struct model {
	struct note page[PAGES];
	bool table[CHUNKS]; /* of level 1 */
};

static struct {
	struct keys keys;
	struct profile profile;
	struct space *space;
	enum pages pages;
	struct model model[PROCESSES_USED];
	u32 objects;
	u64 seed;
} t;

static u64 draw(u64 n)
{
	return dice_below(&t.seed, n);
}

static u64 address(u64 n)
{
	return BASE + (n << 12);
}

static va_t key_of(u16 process, u64 page)
{
	va_t key;

	assert_int_equal(keys_of(&t.keys, process, address(page), &key), 0);
	return key;
}

#define ARGS(...) ((const u64[4]){__VA_ARGS__})

static void event(u16 type, u16 process, const u64 arg[4])
{
	struct nbt_event e = {
		.type = type,
		.process = process,
		.arg = {arg[0], arg[1], arg[2], arg[3]},
	};
	struct err err;

	assert_int_equal(space_event(t.space, &e, NULL, &err), 0);
}

/* The model ****************************************************************/

static bool like(const struct note *a, const struct note *b)
{
	return a->mapped == b->mapped && a->prot == b->prot &&
	       a->object == b->object && a->huge == b->huge;
}

static void break_up(struct model *m, u64 chunk)
{
	m->table[chunk] = true;
	for (u64 n = chunk * CHUNK; n < (chunk + 1) * CHUNK; n++)
		m->page[n].use = SMALL;
}

/* Large pages that a range has only a part of become small. */
static void break_ends(struct model *m, u64 from, u64 to)
{
	for (u64 c = 0; c < CHUNKS; c++) {
		u64 first = c * CHUNK, end = first + CHUNK;

		if (m->page[first].use == LARGE && from < end && to > first &&
		    (from > first || to < end))
			break_up(m, c);
	}
}

static void release(struct model *m, u64 from, u64 to)
{
	break_ends(m, from, to);
	for (u64 n = from; n < to; n++)
		m->page[n].use = NOT;
}

static void drop_idle_tables(struct model *m, u64 from, u64 to)
{
	for (u64 c = from / CHUNK; from < to && c <= (to - 1) / CHUNK; c++) {
		bool idle = true;

		for (u64 n = c * CHUNK; n < (c + 1) * CHUNK; n++)
			idle &= !m->page[n].mapped;
		if (idle)
			m->table[c] = false;
	}
}

static void set(struct model *m, u64 from, u64 to, struct note to_what)
{
	release(m, from, to);
	for (u64 n = from; n < to; n++)
		m->page[n] = to_what;
	drop_idle_tables(m, from, to);
}

static void touch(struct model *m, u64 n)
{
	u64 chunk = n / CHUNK;
	const struct note *first = &m->page[chunk * CHUNK];
	bool large = t.pages == PAGES_THP && first->mapped && !first->object &&
		     first->huge != VMA_NO_HUGE && !m->table[chunk];

	if (m->page[n].use != NOT)
		return;
	for (u64 i = 0; i < CHUNK; i++)
		large &= like(&first[i], first);
	for (u64 i = 0; large && i < CHUNK; i++)
		m->page[chunk * CHUNK + i].use = LARGE;
	if (large)
		return;
	m->page[n].use = SMALL;
	m->table[chunk] = true;
}

/* mremap() to @to: large pages stay so where both ends are aligned. */
static void move(struct model *m, u64 from, u64 length, u64 to)
{
	static enum use use[PAGES];
	struct note what = m->page[from];

	if (!what.mapped)
		what = (struct note){.mapped = true,
				     .prot = PROT_READ | PROT_WRITE};
	if (what.object)
		what.object = ++t.objects;
	what.use = NOT;
	break_ends(m, from, from + length);
	for (u64 i = 0; i < length; i++)
		use[i] = m->page[from + i].use;
	set(m, to, to + length, what);
	for (u64 i = 0; i < length; i++) {
		u64 chunk = (to + i) / CHUNK;

		if (use[i] == NOT)
			continue;
		if ((from ^ to) % CHUNK)
			use[i] = SMALL;
		m->page[to + i].use = use[i];
		m->table[chunk] |= use[i] == SMALL;
	}
	set(m, from, from + length, (struct note){0});
}

/* Both *********************************************************************/

static void step_map(u16 p, u64 from, u64 to)
{
	bool private = draw(4) != 0;
	struct note note = {.mapped = true,
			    .prot = PROT_READ << draw(2),
			    .object = private || from == to ? 0 : ++t.objects};

	if (from == to)
		return;
	set(&t.model[p], from, to, note);
	event(NBT_MAP, p,
	      ARGS(address(from), address(to) - address(from), note.prot,
		   private ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE));
}

static void step_remap(u16 p, u64 from, u64 to)
{
	u64 length = to - from, where;

	if (!length || !draw(2))
		return;
	if (length * 2 > PAGES)
		length = PAGES / 4;
	where = draw(PAGES - length);
	if (draw(2))
		where -= (where - from) % CHUNK < where ? (where - from) % CHUNK
							: 0;
	if (where < from + length && from < where + length)
		return;
	move(&t.model[p], from, length, where);
	event(NBT_REMAP, p,
	      ARGS(address(from), length << 12, address(where), length << 12));
}

static void step_advise(u16 p, u64 from, u64 to)
{
	bool on = draw(3);

	if (draw(2)) {
		release(&t.model[p], from, to);
		drop_idle_tables(&t.model[p], from, to);
		if (from < to)
			event(NBT_ADVISE, p,
			      ARGS(address(from), (to - from) << 12,
				   MADV_DONTNEED, 0));
		return;
	}
	for (u64 n = from; n < to; n++)
		if (t.model[p].page[n].mapped)
			t.model[p].page[n].huge = on ? VMA_HUGE : VMA_NO_HUGE;
	event(NBT_ADVISE, p,
	      ARGS(address(from), (to - from) << 12,
		   on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE, 0));
}

static void step_protect(u16 p, u64 from, u64 to)
{
	u32 prot = draw(2);

	break_ends(&t.model[p], from, to);
	for (u64 n = from; n < to; n++)
		if (t.model[p].page[n].mapped)
			t.model[p].page[n].prot = prot;
	event(NBT_PROTECT, p, ARGS(address(from), (to - from) << 12, prot, 0));
}

static void step_fork(u16 p)
{
	u16 child = (p + 1) % PROCESSES_USED;

	event(NBT_EXIT, child, ARGS(0, 0, 0, 0));
	event(NBT_FORK, p, ARGS(child, 0, 0, 0));
	t.model[child] = t.model[p];
	memset(t.model[child].table, 0, sizeof(t.model[child].table));
	for (u64 n = 0; n < PAGES; n++)
		t.model[child].page[n].use = NOT;
}

static void step(u16 p)
{
	u64 from = draw(PAGES), to = from + draw(PAGES - from + 1);

	switch (draw(12)) {
	case 0:
	case 1:
		return step_map(p, from, to);
	case 2:
		set(&t.model[p], from, to, (struct note){0});
		return event(NBT_UNMAP, p,
			     ARGS(address(from), (to - from) << 12, 0, 0));
	case 3:
		return step_remap(p, from, to);
	case 4:
		return step_advise(p, from, to);
	case 5:
		return step_protect(p, from, to);
	case 6:
		return draw(8) ? (void)0 : step_fork(p);
	}
	for (u64 i = 0; i < 20; i++) {
		u64 n = draw(PAGES);

		if (!t.model[p].page[n].mapped)
			continue;
		touch(&t.model[p], n);
		assert_int_equal(space_touch(t.space, key_of(p, n), NULL), 0);
	}
}

static u64 compare_chunk(u16 p, u64 chunk)
{
	const struct model *m = &t.model[p];
	const struct dim *d = &t.space->d[0];
	u64 pages = 0;

	assert_int_equal(dim_has_table(d, key_of(p, chunk * CHUNK).v, 1),
			 m->table[chunk]);
	for (u64 n = chunk * CHUNK; n < (chunk + 1) * CHUNK; n++) {
		va_t key = key_of(p, n);

		assert_int_equal(dim_mapped(d, key.v), m->page[n].use != NOT);
		if (m->page[n].use != NOT)
			assert_int_equal(dim_size(d, key.v),
					 m->page[n].use == LARGE);
		pages += m->page[n].use != NOT;
	}
	return pages;
}

static void compare(void)
{
	struct walk_memory memory = {0};
	u64 pages = 0;

	for (u16 p = 0; p < PROCESSES_USED; p++)
		for (u64 c = 0; c < CHUNKS; c++)
			pages += compare_chunk(p, c);
	space_memory(t.space, &memory);
	assert_int_equal(memory.frames[0], pages << 12);
}

static void run(enum pages pages, enum frames frames)
{
	struct walk_spec spec = {.env = ENV_VIRT,
				 .pages = pages,
				 .frames = frames,
				 .profile = &t.profile,
				 .keys = &t.keys,
				 .seed = 1};
	struct err err;

	memset(&t, 0, sizeof(t));
	t.seed = DICE_START;
	t.pages = pages;
	t.profile.levels = 4;
	keys_init(&t.keys);
	t.space = space_new(&spec, &err);
	assert_non_null(t.space);
	for (u16 p = 0; p < PROCESSES_USED; p++)
		event(NBT_EXEC, p, ARGS(0, 0, 0, 0));
	for (unsigned i = 0; i < ROUNDS; i++) {
		step((u16)draw(PROCESSES_USED));
		if (i % 4 == 0)
			compare();
	}
	for (u16 p = 0; p < PROCESSES_USED; p++)
		event(NBT_EXIT, p, ARGS(0, 0, 0, 0));
	assert_int_equal(t.space->d[0].tables, 0);
	assert_int_equal(t.space->d[0].pages[SIZE_4K], 0);
	assert_int_equal(t.space->d[0].pages[SIZE_2M], 0);
	if (frames == FRAMES_BUDDY) /* the first is nobody's */
		assert_int_equal(t.space->d[0].frames->buddy.used, 1);
	space_free(t.space);
}

static void test_small_pages(void **state)
{
	(void)state;
	run(PAGES_4K, FRAMES_COMPUTED);
}

static void test_transparent_pages(void **state)
{
	(void)state;
	run(PAGES_THP, FRAMES_COMPUTED);
}

static void test_small_pages_allocated(void **state)
{
	(void)state;
	run(PAGES_4K, FRAMES_BUDDY);
}

static void test_transparent_pages_allocated(void **state)
{
	(void)state;
	run(PAGES_THP, FRAMES_BUDDY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_pages),
		cmocka_unit_test(test_transparent_pages),
		cmocka_unit_test(test_small_pages_allocated),
		cmocka_unit_test(test_transparent_pages_allocated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
