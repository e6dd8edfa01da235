/* SPDX-License-Identifier: Apache-2.0 */
/* One sequence of accesses, imported from two formats, is the same to walk/;
 * and its misses are those that other simulators count. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/pattern.h"
#include "capture/import.h"
#include "test/unit/unit.h"
#include "walk/walk.h"

#define ACCESSES 3997696 /* those of the other simulators' figures */
#define IN	 "in"
#define OUT	 "out.nbt"

/* Of the child that writes: its status tells what it could not. */
static void put(const void *bytes, size_t size, FILE *f)
{
	if (fwrite(bytes, size, 1, f) != 1)
		_exit(1);
}

/* Files as the other tools write them, into a pipe. */
static void write_raw(const struct accesses *a, FILE *f)
{
	for (size_t i = 0; i < a->n; i++) {
		u64 store = NBT_WHAT(a->kind[i]) == NBT_STORE;
		u64 addr = a->addr[i] | store << 63;

		put(&addr, sizeof(addr), f);
	}
}

static void write_champsim(const struct accesses *a, FILE *f)
{
	static const u64 none[8];

	for (size_t i = 0; i < a->n; i++) {
		u64 r[8] = {0x400000};

		r[NBT_WHAT(a->kind[i]) == NBT_STORE ? 2 : 4] = a->addr[i];
		for (u8 gap = a->gap[i]; gap > 1; gap--)
			put(none, sizeof(none), f);
		put(r, sizeof(r), f);
	}
}

static void import(const char *format, const struct accesses *a)
{
	static const struct capture_limits all;
	struct err err;
	int status;
	pid_t child;

	assert_int_equal(mkfifo(IN, 0600), 0);
	child = fork();
	if (!child) {
		FILE *f = fopen(IN, "wb");

		(format[0] == 'r' ? write_raw : write_champsim)(a, f);
		_exit(fclose(f) != 0);
	}
	if (import_trace(format, IN, OUT, &all, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(unlink(IN), 0);
}

static void walk(struct walk_stats *stats)
{
	struct profile p;
	struct walk_spec spec = {.design = walk_find_design("radix"),
				 .profile = &p};
	struct err err;
	struct nbt_reader *r = nbt_open(OUT, &err);

	assert_non_null(r);
	assert_int_equal(profile_load(&p, "skylake-dmt", &err), 0);
	if (walk_run(r, &spec, NULL, stats, &err) < 0)
		fail_msg("%s", err.text);
	nbt_close(r);
	assert_int_equal(unlink(OUT), 0);
	stats->seconds = 0;
}

/* DynamoRIO's TLB simulator counts the same. */
static const struct {
	const char *pattern;
	u64 dtlb, stlb;
} exact[] = {{"gups", 1998365, 1987276}, {"btree", 558761, 390880}};

static void formats_agree(void **state)
{
	static struct walk_stats raw, champsim;
	struct accesses a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(exact); i++) {
		assert_int_equal(pattern_make(exact[i].pattern, ACCESSES, &a),
				 0);
		import("raw", &a);
		walk(&raw);
		import("champsim", &a);
		walk(&champsim);
		assert_int_equal(raw.accesses, ACCESSES);
		assert_int_equal(raw.dtlb_misses, exact[i].dtlb);
		assert_int_equal(raw.stlb_misses, exact[i].stlb);
		assert_true(champsim.instructions > raw.instructions);
		champsim.instructions = raw.instructions;
		assert_memory_equal(&raw, &champsim, sizeof(raw));
		accesses_free(&a);
	}
}

static int enter(void **state)
{
	static char folder[] = "/dev/shm/t-import-XXXXXX";

	*state = mkdtemp(folder);
	return *state ? chdir(folder) : -1;
}

static int leave(void **state)
{
	return chdir("/") || rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_agree),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
