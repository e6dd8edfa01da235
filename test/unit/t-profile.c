/* SPDX-License-Identifier: Apache-2.0 */
/* walk/profile: what is in the program is legal; what is not is refused. */
#include "test/unit/unit.h"
#include "walk/profile.h"
#include "walk/profiles/embedded.h"

static struct profile p;
static struct err err;

static void embedded_profiles_are_legal(void **state)
{
	size_t count = 0;

	(void)state;
	for (; profile_name(count); count++) {
		if (profile_load(&p, profile_name(count), &err))
			fail_msg("%s", err.text);
		assert_string_equal(p.name, profile_name(count));
	}
	assert_int_equal(count, 3);
}

static void skylake_is_table_3(void **state)
{
	(void)state;
	assert_int_equal(profile_load(&p, "skylake-dmt", &err), 0);
	assert_int_equal(p.dtlb[SIZE_4K].entries, 64);
	assert_int_equal(p.stlb[SIZE_4K].ways, 12);
	assert_true(p.stlb_shared[SIZE_2M] && !p.stlb_shared[SIZE_1G]);
	assert_int_equal(p.l3.entries, (22u << 20) / 64);
	assert_int_equal(p.memory_cycles, 200);
	assert_int_equal(p.pwc[0].entries, 32);
	assert_int_equal(p.npwc[2].entries, 2);
	assert_false(p.l3_inclusive);
}

/* The text of a profile with one line replaced; @line = NULL: cut out. */
static char *with(const char *section, const char *key, const char *line)
{
	const char *text = embedded_profiles[0].text, *at, *end;
	size_t room = strlen(text) + 200;
	char *out = calloc(1, room), start[32];

	assert_non_null(out);
	at = strstr(text, section);
	assert_non_null(at);
	snprintf(start, sizeof(start), "\n%s =", key);
	if (strcmp(section, key) != 0)
		at = strstr(at, start) + 1;
	end = strchr(at, '\n');
	snprintf(out, room, "%.*s%s%s", (int)(at - text), text,
		 line ? line : "", end);
	return out;
}

static const struct {
	const char *section, *key, *line, *error;
} wrong[] = {
	{"[dtlb.4k]", "ways", "ways = 5",
	 "f: dtlb.4k: 64 entries are not a multiple of 5 ways"},
	{"[dtlb.4k]", "entries", "entries = 60",
	 "f: dtlb.4k: 60 entries in 4 ways: the number of sets is not a power "
	 "of two"},
	{"[dtlb.4k]", "ways", "wais = 4", "f: unknown key 'wais' in [dtlb.4k]"},
	{"[dtlb.4k]", "[dtlb.4k]", "[dtlb.8k]",
	 "f: unknown key 'entries' in [dtlb.8k]"},
	{"[dtlb.4k]", "ways", NULL, "f: 'ways' is missing in [dtlb.4k]"},
	{"[dtlb.4k]", "ways", "ways = 4\nways = 4",
	 "f: 'ways' stands twice in [dtlb.4k]"},
	{"[dtlb.4k]", "ways", "ways = 0",
	 "f: [dtlb.4k] ways = '0' is not a number from 1 to 128"},
	{"[dtlb.4k]", "ways", "ways = -4",
	 "f: [dtlb.4k] ways = '-4' is not a number from 1 to 128"},
	{"[dtlb.4k]", "policy", "policy = best",
	 "f: [dtlb.4k] policy = 'best' is not lru, plru, lfu or srrip"},
	{"[stlb.4k]", "policy", "policy = plru",
	 "f: stlb.4k: 1536 entries in 12 ways: PLRU needs a power of two of "
	 "ways"},
	{"[machine]", "asids", "asids = true",
	 "f: [machine] asids = 'true' is not yes or no"},
	{"[machine]", "levels", "levels = 3",
	 "f: [machine] levels = '3' is not a number from 4 to 5"},
	{"[machine]", "cpi", "cpi = 0",
	 "f: [machine] cpi = '0' is not a number above 0, up to 100"},
	{"[l1d]", "size", "size = 32T",
	 "f: [l1d] size = '32T' is not a size such as 32K, a multiple of 64 "
	 "bytes"},
	{"[l1d]", "size", "size = 2K", "f: l1d: fewer than 64 sets"},
	{"[l2]", "cycles", "cycles = 3",
	 "f: a cache is slower than the one below it"},
	{"[machine]", "asids", "asids yes", "f: line 12 is not 'key = value'"},
};

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *text =
			with(wrong[i].section, wrong[i].key, wrong[i].line);

		assert_int_equal(profile_parse(&p, "f", text, &err), -1);
		assert_string_equal(err.text, wrong[i].error);
		free(text);
	}
}

static void files_and_names(void **state)
{
	char path[] = "/tmp/profile-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	fputs(embedded_profiles[0].text, f);
	(void)fclose(f);
	assert_int_equal(profile_load(&p, path, &err), 0);
	assert_int_equal(p.l2.cycles, 14);
	assert_int_equal(remove(path), 0);
	assert_int_equal(profile_load(&p, path, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(profile_load(&p, "/dev/null", &err), -1);
	assert_string_equal(err.text,
			    "/dev/null: 'name' is missing in [machine]");
	assert_int_equal(profile_load(&p, "/dev/zero", &err), -1);
	assert_string_equal(err.text, "/dev/zero: not a profile");
	assert_int_equal(profile_load(&p, "/tmp", &err), -1);
	assert_int_equal(profile_load(&p, "pentium", &err), -1);
	assert_string_equal(err.text,
			    "unknown profile 'pentium': there are skylake-dmt, "
			    "zen4, golden-cove, or give a file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(embedded_profiles_are_legal),
		cmocka_unit_test(skylake_is_table_3),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(files_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
