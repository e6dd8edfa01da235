/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk/buddy and walk/frames. The allocator is compared with one that looks at
 * all frames each time; the hash table with an array.
 */
#include "test/unit/dice.h"
#include "test/unit/unit.h"
#include "walk/buddy.h"
#include "walk/frames.h"

#define FRAMES 4096u
#define BLOCKS 600u
#define ROUNDS 6000u
#define PAGES  50000ull

static u64 seed;

static u64 draw(u64 n)
{
	return dice_below(&seed, n);
}

/* The buddy allocator ******************************************************/

static bool used[FRAMES];

static bool is_free(u64 frame, unsigned order)
{
	for (u64 i = frame; i < frame + (1u << order); i++)
		if (used[i])
			return false;
	return true;
}

/* A block is free as such if its double is not. */
static bool is_block(u64 frame, unsigned order)
{
	u64 twice = frame >> (order + 1) << (order + 1);

	return is_free(frame, order) &&
	       (order == BUDDY_ORDERS - 1 || !is_free(twice, order + 1));
}

static u64 slow_take(unsigned order)
{
	for (unsigned from = order; from < BUDDY_ORDERS; from++)
		for (u64 frame = 0; frame < FRAMES; frame += 1u << from)
			if (is_block(frame, from)) {
				memset(&used[frame], true, 1u << order);
				return frame;
			}
	return BUDDY_NONE;
}

struct block {
	u64 frame;
	unsigned order;
};

static void take(struct buddy *b, struct block *block, unsigned *n)
{
	unsigned order = (unsigned)(draw(3) ? draw(4) : draw(BUDDY_ORDERS));
	u64 frame = buddy_take(b, order);

	assert_int_equal(frame, slow_take(order));
	if (frame != BUDDY_NONE)
		block[(*n)++] = (struct block){frame, order};
}

static void give(struct buddy *b, struct block *block, unsigned *n)
{
	unsigned i = (unsigned)draw(*n);

	buddy_give(b, block[i].frame, block[i].order);
	memset(&used[block[i].frame], false, 1u << block[i].order);
	block[i] = block[--*n];
}

static void test_buddy_at_random(void **state)
{
	static struct block block[BLOCKS];
	struct buddy b;
	unsigned n = 0;

	(void)state;
	assert_int_equal(buddy_init(&b, FRAMES), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (n && (n == BLOCKS || draw(i / 1000 % 2 ? 3 : 2) == 0))
			give(&b, block, &n);
		else
			take(&b, block, &n);
	}
	while (n)
		give(&b, block, &n);
	assert_int_equal(b.used, 0);
	for (u64 i = 0; i < FRAMES >> (BUDDY_ORDERS - 1); i++)
		assert_int_equal(buddy_take(&b, BUDDY_ORDERS - 1),
				 i << (BUDDY_ORDERS - 1));
	assert_int_equal(buddy_take(&b, 0), BUDDY_NONE);
	buddy_free_all(&b);
}

/* Frames of pages *********************************************************/

static void test_frames_at_random(void **state)
{
	static u64 at[PAGES];
	struct frame_map *f = frames_new(KEY_BITS, true);
	u64 in_use = 0;

	(void)state;
	assert_non_null(f);
	for (u64 i = 0; i < 2ull * PAGES; i++) {
		u64 n = draw(PAGES);
		u64 page = n * 2654435761u % (1u << 29);

		assert_int_equal(frames_page(f, page, SIZE_4K), at[n]);
		if (at[n] && draw(2)) {
			frames_drop_page(f, page, SIZE_4K);
			at[n] = 0;
			in_use--;
		} else if (!at[n]) {
			assert_int_equal(frames_add_page(f, page, SIZE_4K), 0);
			at[n] = frames_page(f, page, SIZE_4K);
			in_use++;
		}
		assert_int_equal(f->buddy.used, in_use + 1);
	}
	frames_free(f);
}

/* At least 7 of 9 slots are in use: 10.3 bytes a page. */
static void test_hash_is_full(void **state)
{
	struct frame_map *f = frames_new(KEY_BITS, true);
	u64 slots = 0;

	(void)state;
	assert_non_null(f);
	for (u64 i = 0; i < PAGES; i++)
		assert_int_equal(
			frames_add_page(f, draw(1u << 29), SIZE_4K) < 0, false);
	for (unsigned i = 0; i < 1 << PART_BITS; i++)
		slots += f->part[i].size;
	assert_true(slots * 7 <= PAGES * 9);
	frames_free(f);
}

static void test_split_and_move_keep_frames(void **state)
{
	struct frame_map *f = frames_new(KEY_BITS, true);

	(void)state;
	assert_non_null(f);
	assert_int_equal(frames_add_page(f, 1000, SIZE_4K), 0);
	assert_int_equal(frames_add_page(f, 5, SIZE_2M), 0);
	assert_int_equal(frames_page(f, 5, SIZE_2M), 512 << 12);
	assert_int_equal(frames_move_page(f, 5, 6, SIZE_2M), 0);
	assert_int_equal(frames_split(f, 6), 0);
	for (u64 i = 0; i < 512; i++)
		assert_int_equal(frames_page(f, 3072 + i, SIZE_4K),
				 (512 + i) << 12);
	assert_int_equal(frames_move_page(f, 3072, 77, SIZE_4K), 0);
	assert_int_equal(frames_page(f, 77, SIZE_4K), 512 << 12);
	assert_int_equal(frames_page(f, 3072, SIZE_4K), 0);
	assert_int_equal(f->buddy.used, 514);
	frames_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buddy_at_random),
		cmocka_unit_test(test_frames_at_random),
		cmocka_unit_test(test_hash_is_full),
		cmocka_unit_test(test_split_and_move_keep_frames),
	};

	seed = DICE_START;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
