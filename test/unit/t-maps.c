/* SPDX-License-Identifier: Apache-2.0 */
/* capture/maps: differences between one reading of /proc/PID/maps and the next,
 * as text: "map 1000+2000 3 22 path". */
#include <inttypes.h>
#include <string.h>

#include "capture/maps.h"
#include "test/unit/unit.h"

#define FIRST                                                    \
	"1000-3000 r--p 00000000 08:01 17   /bin/program\n"      \
	"3000-5000 rw-p 00000000 00:00 0    [heap]\n"            \
	"9000-a000 rw-s 00000000 00:05 3    /dev/shm/a file\n"   \
	"10000-20000 r-xp 00000000 08:01 18 /lib/library.so.1\n" \
	"7f0000000000-7f0000100000 rw-p 00000000 00:00 0\n"
#define FIRST_EVENTS                              \
	"map 1000+2000 1 2 /bin/program\n"        \
	"map 3000+2000 3 22 [heap]\n"             \
	"map 9000+1000 3 1 /dev/shm/a file\n"     \
	"map 10000+10000 5 2 /lib/library.so.1\n" \
	"map 7f0000000000+100000 3 22 \n"

static char said[4096];

static void say(void *data, const struct nbt_event *e)
{
	static const char *const name[NBT_EVENTS] = {[NBT_MAP] = "map",
						     [NBT_UNMAP] = "unmap",
						     [NBT_PROTECT] = "protect"};
	size_t n = strlen(said);

	assert_null(data);
	n += (size_t)snprintf(said + n, sizeof(said) - n,
			      "%s %" PRIx64 "+%" PRIx64, name[e->type],
			      e->arg[0], e->arg[1]);
	if (e->type != NBT_UNMAP)
		n += (size_t)snprintf(said + n, sizeof(said) - n, " %" PRIx64,
				      e->arg[2]);
	if (e->type == NBT_MAP)
		n += (size_t)snprintf(said + n, sizeof(said) - n,
				      " %" PRIx64 " %s", e->arg[3],
				      e->text ? e->text : "");
	snprintf(said + n, sizeof(said) - n, "\n");
}

static void assert_update(struct maps *m, const char *text, const char *events)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	said[0] = 0;
	assert_non_null(f);
	assert_int_equal(maps_update(m, f, say, NULL), *events != 0);
	(void)fclose(f);
	assert_string_equal(said, events);
}

static void first_reading_is_all(void **state)
{
	struct maps m = {0};

	(void)state;
	assert_update(&m, FIRST, FIRST_EVENTS);
	assert_true(maps_has(&m, 0x1000));
	assert_true(maps_has(&m, 0x4fff));
	assert_false(maps_has(&m, 0x5000));
	assert_false(maps_has(&m, 0xfff));
	assert_true(maps_has(&m, 0x7f00000fffff));
	assert_false(maps_has(&m, 0x7f0000100000));
	assert_update(&m, FIRST, "");
	maps_free(&m);
}

/* What stays is not told again: its pages stay. */
static void only_pieces_change(void **state)
{
	struct maps m = {0};

	(void)state;
	assert_update(&m, FIRST, FIRST_EVENTS);
	assert_update(&m,
		      "1000-3000 r--p 00000000 08:01 17   /bin/program\n"
		      "3000-8000 rw-p 00000000 00:00 0    [heap]\n"
		      "9000-a000 rw-p 00000000 00:00 0\n"
		      "10000-14000 r-xp 00000000 08:01 18 /lib/library.so.1\n"
		      "14000-18000 r--p 00000000 08:01 18 /lib/library.so.1\n"
		      "7efffffff000-7f0000040000 rw-p 00000000 00:00 0\n"
		      "7f0000080000-7f0000100000 rw-p 00000000 00:00 0\n",
		      "map 5000+3000 3 22 [heap]\n"
		      "map 9000+1000 3 22 \n"
		      "protect 14000+4000 1\n"
		      "unmap 18000+8000\n"
		      "map 7efffffff000+1000 3 22 \n"
		      "unmap 7f0000040000+40000\n");
	assert_true(maps_has(&m, 0x7fff));
	assert_false(maps_has(&m, 0x18000));
	maps_free(&m);
}

static void the_end_changes_nothing(void **state)
{
	struct maps m = {0}, child = {0};

	(void)state;
	assert_update(&m, FIRST, FIRST_EVENTS);
	assert_update(&m, "\n", "");
	assert_true(maps_has(&m, 0x1000));
	maps_copy(&child, &m);
	maps_free(&m);
	assert_update(&child, FIRST, "");
	maps_free(&child);
}

static void added_ones_count(void **state)
{
	const struct nbt_event e = {.type = NBT_MAP,
				    .arg = {0x7000, 0x1000, 3, 0x22}};
	struct maps m = {0};

	(void)state;
	assert_update(&m, FIRST, FIRST_EVENTS);
	maps_add(&m, &e);
	assert_true(maps_has(&m, 0x7fff));
	assert_update(&m, FIRST, "unmap 7000+1000\n");
	maps_free(&m);
}

static void other_lines_are_left_out(void **state)
{
	struct maps m = {0};

	(void)state;
	assert_update(&m,
		      "garbage\n"
		      "1000-2000\n"
		      "1000-2000 rw-s 00000000 00:01 9 "
		      "/memfd:nestbox-ring (deleted)\n"
		      "4000-5000 ---p 00000000 00:00 0\n"
		      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 "
		      "[vsyscall]\n",
		      "map 4000+1000 0 22 \n");
	maps_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_reading_is_all),
		cmocka_unit_test(only_pieces_change),
		cmocka_unit_test(the_end_changes_nothing),
		cmocka_unit_test(added_ones_count),
		cmocka_unit_test(other_lines_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
