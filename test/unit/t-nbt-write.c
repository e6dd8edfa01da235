/* SPDX-License-Identifier: Apache-2.0 */
/* lib/nbt: what becomes of files whose writing fails or ends early. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/nbt_sample.h"
#include "test/unit/unit.h"

#define FILE_NAME "trace.nbt"

static const struct nbt_info info = {.program = "p"};

/* Files in the test's folder. */
static int files(void)
{
	DIR *d = opendir(".");
	int n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	assert_int_equal(closedir(d), 0);
	return n;
}

static void clean(void)
{
	DIR *d = opendir(".");

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			assert_int_equal(unlink(e->d_name), 0);
	assert_int_equal(closedir(d), 0);
}

static struct nbt_writer *begin(const char *path)
{
	struct err err = {""};
	struct nbt_writer *w = nbt_create(path, &info, &err);

	assert_non_null(w);
	return w;
}

/* Accesses that no coding makes small. */
static void add(struct nbt_writer *w, unsigned blocks)
{
	u64 state = 1;

	for (size_t i = 0; i < (size_t)blocks * NBT_BLOCK; i++) {
		state = state * 6364136223846793005 + 1;
		nbt_add(w, state >> 20, (u8)(state >> 30), state >> 40);
	}
}

static void put_text(const char *text)
{
	FILE *f = fopen(FILE_NAME, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect_text(const char *text)
{
	char got[100] = "";
	FILE *f = fopen(FILE_NAME, "r");

	assert_non_null(f);
	assert_non_null(fgets(got, sizeof(got), f));
	assert_int_equal(fclose(f), 0);
	assert_string_equal(got, text);
}

static void named_when_complete(void **state)
{
	struct nbt_writer *w = begin(FILE_NAME);
	struct err err = {""};

	(void)state;
	add(w, 2);
	assert_int_equal(access(FILE_NAME, F_OK), -1);
	assert_int_equal(files(), 1);
	assert_int_equal(nbt_finish(w, &err), 0);
	assert_int_equal(access(FILE_NAME, F_OK), 0);
	assert_int_equal(files(), 1);
	clean();
}

static void abandoned(void **state)
{
	struct nbt_writer *w;

	(void)state;
	put_text("before");
	w = begin(FILE_NAME);
	add(w, 2);
	assert_int_equal(files(), 2);
	nbt_abandon(w);
	assert_int_equal(files(), 1);
	expect_text("before");
	clean();
}

/* Two writers of one name: the one that finishes last wins. */
static void two_at_once(void **state)
{
	struct nbt_writer *a = begin(FILE_NAME), *b = begin(FILE_NAME);
	struct err err = {""};
	struct nbt_reader *r;

	(void)state;
	add(a, 1);
	add(b, 2);
	assert_int_equal(nbt_finish(b, &err), 0);
	assert_int_equal(nbt_finish(a, &err), 0);
	r = nbt_open(FILE_NAME, &err);
	assert_non_null(r);
	assert_int_equal(nbt_info(r)->accesses, NBT_BLOCK);
	nbt_close(r);
	assert_int_equal(files(), 1);
	clean();
}

static void nothing_recorded(void **state)
{
	struct nbt_writer *w = begin(FILE_NAME);
	struct err err = {""};

	(void)state;
	assert_true(nbt_finish(w, &err) < 0);
	assert_non_null(strstr(err.text, "no accesses"));
	assert_int_equal(files(), 0);
}

static void physical_or_not(void **state)
{
	struct nbt_writer *w = begin(FILE_NAME);
	struct err err = {""};

	(void)state;
	nbt_add_physical(w, 1, 2, 0, 1);
	nbt_add(w, 1, 0, 1);
	assert_true(nbt_finish(w, &err) < 0);
	assert_non_null(strstr(err.text, "without physical address"));
	assert_int_equal(files(), 0);
}

static void no_such_folder(void **state)
{
	struct err err = {""};

	(void)state;
	assert_null(nbt_create("nowhere/t.nbt", &info, &err));
	assert_non_null(strstr(err.text, "No such file"));
	assert_null(nbt_create("/dev/shm", &info, &err));
	assert_non_null(strstr(err.text, "folder"));
}

/* A device is written to, not replaced. */
static void full_device(void **state)
{
	struct nbt_writer *w = begin("/dev/full");
	struct stat st;
	struct err err = {""};

	(void)state;
	add(w, 1);
	assert_true(nbt_failed(w));
	add(w, 1);
	assert_int_equal(nbt_written(w), 2 * NBT_BLOCK);
	assert_true(nbt_finish(w, &err) < 0);
	assert_non_null(strstr(err.text, "No space left"));
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

/* The file may have @bytes; returns whether writing it succeeded. */
static bool write_limited(rlim_t bytes, struct err *err)
{
	struct rlimit old, limit;
	struct nbt_writer *w;
	bool good;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	w = begin(FILE_NAME);
	add(w, 2);
	good = nbt_finish(w, err) == 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	return good;
}

/* Full in the header, in blocks, in the index: each leaves what was there. */
static void full_anywhere(void **state)
{
	struct err err = {""};
	struct stat st;
	rlim_t size;

	(void)state;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_true(write_limited(RLIM_INFINITY, &err));
	assert_int_equal(stat(FILE_NAME, &st), 0);
	size = (rlim_t)st.st_size;
	put_text("before");
	for (rlim_t n = 0; n < size; n += n < size - 200 ? size / 9 : 7) {
		assert_false(write_limited(n, &err));
		assert_non_null(strstr(err.text, "cannot write"));
		expect_text("before");
		assert_int_equal(files(), 1);
	}
	clean();
}

static void keeps_links_and_modes(void **state)
{
	struct err err = {""};
	struct nbt_writer *w;
	struct stat st;
	mode_t mask = umask(027);

	(void)state;
	put_text("before");
	assert_int_equal(symlink(FILE_NAME, "link"), 0);
	w = begin("link");
	add(w, 1);
	assert_int_equal(nbt_finish(w, &err), 0);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(FILE_NAME, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	umask(mask);
	clean();
}

/* The only file of the folder, of at least two blocks. */
static bool written_some(char name[256])
{
	DIR *d = opendir(".");
	struct stat st = {0};

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || stat(e->d_name, &st) < 0)
			continue;
		snprintf(name, 256, "%s", e->d_name);
	}
	assert_int_equal(closedir(d), 0);
	return st.st_size > 20l * NBT_BLOCK;
}

/* Killed while writing: nothing has the final name, and what was written can
 * be read. */
static void killed(void **state)
{
	char name[256] = "";
	struct err err = {""};
	struct nbt_reader *r;
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		struct nbt_writer *w = begin(FILE_NAME);

		add(w, 10000);
		_exit(0);
	}
	while (!written_some(name))
		usleep(1000);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(access(FILE_NAME, F_OK), -1);
	r = nbt_open(name, &err);
	assert_non_null(r);
	assert_false(nbt_info(r)->complete);
	assert_true(nbt_info(r)->accesses >= NBT_BLOCK / 2);
	nbt_close(r);
	clean();
}

/* In a folder of its own. */
static int enter(void **state)
{
	static char folder[] = "/dev/shm/t-nbt-XXXXXX";

	*state = mkdtemp(folder);
	return *state ? chdir(folder) : -1;
}

static int leave(void **state)
{
	clean();
	return chdir("/") || rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_when_complete),
		cmocka_unit_test(abandoned),
		cmocka_unit_test(two_at_once),
		cmocka_unit_test(nothing_recorded),
		cmocka_unit_test(physical_or_not),
		cmocka_unit_test(no_such_folder),
		cmocka_unit_test(full_device),
		cmocka_unit_test(full_anywhere),
		cmocka_unit_test(keeps_links_and_modes),
		cmocka_unit_test(killed),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
