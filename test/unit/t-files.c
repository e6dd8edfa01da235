/* SPDX-License-Identifier: Apache-2.0 */
/* lab/save: nothing half-written under the final name. lib/maps. */
#include <dirent.h>
#include <limits.h>
#include <unistd.h>

#include "lab/save.h"
#include "lib/maps.h"
#include "test/unit/unit.h"

static char folder[] = "/tmp/t-files-XXXXXX";

static int enter(void **state)
{
	(void)state;
	return !mkdtemp(folder) || chdir(folder);
}

static int leave(void **state)
{
	(void)state;
	(void)unlink("out");
	return chdir("/") || rmdir(folder);
}

static unsigned count_files(void)
{
	DIR *d = opendir(".");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* "." and ".." */
}

static void check_text(const char *want)
{
	FILE *f = fopen("out", "re");
	char text[64] = "";

	assert_non_null(f);
	(void)!fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	assert_string_equal(text, want);
}

static void json_stands_under_its_name(void **state)
{
	json_t *json = json_pack("[i]", 7);
	struct err err = {""};

	(void)state;
	assert_int_equal(save_json(json, "out", &err), 0);
	json_decref(json);
	check_text("[\n  7\n]\n");
	assert_int_equal(count_files(), 1);
}

/* NULL is what cannot be dumped, after all went well so far. */
static void failures_leave_what_was_there(void **state)
{
	struct err err = {""};
	struct save s;

	(void)state;
	assert_int_equal(save_json(NULL, "out", &err), -1);
	assert_non_null(strstr(err.text, "out: "));
	assert_int_equal(save_begin(&s, "out", &err), 0);
	(void)fputs("half", s.file);
	assert_int_equal(count_files(), 2);
	save_drop(&s);
	check_text("[\n  7\n]\n");
	assert_int_equal(count_files(), 1);
}

static void full_disks_are_said(void **state)
{
	json_t *json = json_pack("[i]", 7);
	struct err err = {""};

	(void)state;
	assert_int_equal(save_json(json, "/dev/full", &err), -1);
	json_decref(json);
	assert_non_null(strstr(err.text, "/dev/full: No space left"));
}

/* Not written under the part of the name that there is room for. */
static void long_names_are_refused(void **state)
{
	struct err err = {""};
	char path[PATH_MAX];
	struct save s;

	(void)state;
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = 0;
	memcpy(path + 500, "name", 4);
	assert_int_equal(save_begin(&s, path, &err), -1);
	assert_non_null(strstr(err.text, "File name too long"));
}

static void check_path(const struct maps_line *m, const char *want)
{
	assert_int_equal(m->path_len, strlen(want));
	assert_memory_equal(m->path, want, m->path_len);
}

static void maps_are_read(void **state)
{
	struct maps_line m;

	(void)state;
	assert_true(maps_parse("7f12a000-7f12c000 rw-p 0001f000 fe:01 1234"
			       "                       /usr/lib/a file\n",
			       &m));
	assert_int_equal(m.from, 0x7f12a000);
	assert_int_equal(m.to, 0x7f12c000);
	assert_int_equal(m.offset, 0x1f000);
	assert_string_equal(m.prot, "rw-p");
	check_path(&m, "/usr/lib/a file");
	assert_true(maps_parse("ffffffffff600000-ffffffffff601000 --xp "
			       "00000000 00:00 0  [vsyscall]\n",
			       &m));
	assert_int_equal(m.from, 0xffffffffff600000);
	check_path(&m, "[vsyscall]");
	assert_true(maps_parse("1000-2000 r--s 00000000 00:00 0 \n", &m));
	check_path(&m, "");
}

static void other_lines_are_none(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"Rss:                 208 kB\n",
		"AnonHugePages:         0 kB\n",
		"VmFlags: rd mr mw me\n",
		"1000-2000\n",
		"1000-2000 \n",
		"1000-2000 r--p\n",
		"1000-2000 r--p 0x\n",
		"1000 2000 r--p 0 00:00 0\n",
		"11112222333344445-2000 r--p 0 00:00 0\n",
	};
	struct maps_line m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_false(maps_parse(lines[i], &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_stands_under_its_name),
		cmocka_unit_test(failures_leave_what_was_there),
		cmocka_unit_test(full_disks_are_said),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(maps_are_read),
		cmocka_unit_test(other_lines_are_none),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
