/* SPDX-License-Identifier: Apache-2.0 */
/* lib/nbt: what is written is what is read, by every decoder. */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/nbt/event.h"
#include "lib/nbt/format.h"
#include "test/unit/nbt_sample.h"
#include "test/unit/unit.h"

#define FILE_NAME "trace.nbt"

static const char *const decoders[] = {"portable", "avx2", "avx512"};

static size_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(FILE_NAME, &st), 0);
	return (size_t)st.st_size;
}

static struct nbt_reader *open_file(void)
{
	struct err err = {""};
	struct nbt_reader *r = nbt_open(FILE_NAME, &err);

	assert_non_null(r);
	return r;
}

/* Writes the sample and opens it. */
static struct nbt_reader *open_sample(const struct sample_file *f,
				      const struct sample *s)
{
	struct err err = {""};

	assert_int_equal(sample_write(f, s, FILE_NAME, &err), 0);
	return open_file();
}

static void check_file(const struct sample_file *f, const struct sample *s)
{
	struct err err = {""};
	struct nbt_reader *r = nbt_open(FILE_NAME, &err);
	struct nbt_block *b = nbt_block_new();
	u64 next = 0;

	assert_non_null(r);
	assert_int_equal(nbt_info(r)->accesses, f->n);
	assert_true(nbt_info(r)->complete);
	for (size_t i = 0; i < nbt_blocks(r); i++) {
		assert_int_equal(nbt_read(r, i, b, &err), 0);
		assert_int_equal(b->first, next);
		sample_check(f, s, b);
		next += b->n;
	}
	assert_int_equal(next, f->n);
	nbt_block_free(b);
	nbt_close(r);
}

static void round_trip(const struct sample_file *f)
{
	struct sample *s = sample_new(f);
	struct err err = {""};

	assert_int_equal(sample_write(f, s, FILE_NAME, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++)
		if (nbt_choose_decoder(decoders[i]) == 0)
			check_file(f, s);
	free(s);
}

static void every_pattern(void **state)
{
	(void)state;
	for (int p = 0; p < PATTERNS; p++) {
		struct sample_file f = {
			.pattern = (enum pattern)p,
			.n = NBT_BLOCK + 1001,
			.thread_every = 3001,
			.event_every = 1009,
		};

		round_trip(&f);
		f.codec = NBT_ZSTD;
		f.physical = true;
		round_trip(&f);
	}
}

/* Ends of groups of 8, of 16 and 32 bytes, and of blocks. */
static void every_length(void **state)
{
	struct sample_file f = {.physical = true};

	(void)state;
	for (int p = 0; p < PATTERNS; p++) {
		f.pattern = (enum pattern)p;
		for (f.n = 1; f.n < 70; f.n += 1 + f.n / 9)
			round_trip(&f);
	}
	f.pattern = PATTERN_TREE;
	for (f.n = NBT_BLOCK - 1; f.n <= NBT_BLOCK + 1; f.n++)
		round_trip(&f);
}

static void a_thread_for_each(void **state)
{
	struct sample_file f = {
		.n = NBT_BLOCK + 5, .thread_every = 1, .event_every = 1};

	(void)state;
	round_trip(&f);
}

/* Bytes of a file for each access, in hundredths. */
static unsigned bytes_each(enum pattern pattern, enum nbt_codec codec)
{
	struct sample_file f = {
		.pattern = pattern, .codec = codec, .n = 2ul * NBT_BLOCK};

	round_trip(&f);
	return (unsigned)(file_size() * 100 / f.n);
}

/* Addresses as in bench/limit.c; kinds and gaps that repeat cost nothing, 16
 * values half a byte. */
static void little_is_stored(void **state)
{
	(void)state;
	assert_in_range(bytes_each(PATTERN_RANDOM, NBT_RAW), 200, 229);
	assert_in_range(bytes_each(PATTERN_CHASE, NBT_RAW), 400, 429);
	assert_in_range(bytes_each(PATTERN_STREAM, NBT_RAW), 400, 429);
	assert_in_range(bytes_each(PATTERN_SAME, NBT_RAW), 1, 29);
	assert_in_range(bytes_each(PATTERN_FEW, NBT_RAW), 200, 282);
	assert_in_range(bytes_each(PATTERN_RANDOM, NBT_ZSTD), 150, 215);
	assert_in_range(bytes_each(PATTERN_STREAM, NBT_ZSTD), 1, 6);
}

static void header_says_what_it_is(void **state)
{
	struct sample_file f = {.n = 10, .codec = NBT_ZSTD, .event_every = 1};
	struct sample *s = sample_new(&f);
	struct nbt_reader *r;

	(void)state;
	r = open_sample(&f, s);
	assert_string_equal(nbt_info(r)->program, "sample");
	assert_string_equal(nbt_info(r)->command, "sample --of traces");
	assert_string_equal(nbt_info(r)->source, "test");
	assert_int_equal(nbt_info(r)->codec, NBT_ZSTD);
	assert_true(nbt_info(r)->has_events);
	assert_true(nbt_info(r)->instructions > 0);
	nbt_close(r);
	free(s);
}

static void seeks(void **state)
{
	struct sample_file f = {.n = 5 * NBT_BLOCK + 7};
	struct sample *s = sample_new(&f);
	struct nbt_reader *r;

	(void)state;
	r = open_sample(&f, s);
	for (u64 n = 0; n < f.n; n += 4099)
		assert_int_equal(nbt_seek(r, n), n / NBT_BLOCK);
	assert_int_equal(nbt_seek(r, f.n - 1), 5);
	nbt_close(r);
	free(s);
}

/* The sum of all addresses, to the thread's end. */
static void *add_up(void *reader)
{
	const struct nbt_reader *r = reader;
	struct nbt_block *b = nbt_block_new();
	struct err err;
	uintptr_t sum = 0;

	for (size_t i = 0; b && i < nbt_blocks(r); i++) {
		if (nbt_read(r, i, b, &err) < 0)
			break;
		for (u32 k = 0; k < b->n; k++)
			sum = sum * 31 + b->addr[k] + b->kind[k];
	}
	nbt_block_free(b);
	return (void *)sum;
}

static void threads_share_a_reader(void **state)
{
	struct sample_file f = {
		.pattern = PATTERN_TREE, .codec = NBT_ZSTD, .n = 200000};
	struct sample *s = sample_new(&f);
	struct nbt_reader *r;
	pthread_t thread[4];
	uintptr_t want = 0;
	void *got;

	(void)state;
	for (size_t i = 0; i < f.n; i++)
		want = want * 31 + s[i].addr + s[i].kind;
	r = open_sample(&f, s);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, add_up, r),
				 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], &got), 0);
		assert_int_equal((uintptr_t)got, want);
	}
	nbt_close(r);
	free(s);
}

/* Addresses that are not canonical are written as the hardware has them. */
static void sign_is_extended(void **state)
{
	struct nbt_info info = {.program = "p"};
	struct err err = {""};
	struct nbt_writer *w = nbt_create(FILE_NAME, &info, &err);
	struct nbt_block *b = nbt_block_new();
	struct nbt_reader *r;

	(void)state;
	assert_non_null(w);
	nbt_add(w, 0x1234567890abcdefull, 0, 1);
	nbt_add(w, 0x1334567890abcdefull, 0, 1);
	assert_int_equal(nbt_finish(w, &err), 0);
	r = open_file();
	assert_int_equal(nbt_read(r, 0, b, &err), 0);
	assert_int_equal(b->addr[0], 0x0034567890abcdefull);
	assert_int_equal(b->addr[1], 0xff34567890abcdefull);
	nbt_block_free(b);
	nbt_close(r);
}

/* More events than a block holds, all before one access, and some behind the
 * last: blocks without accesses, which seeking passes. */
static void events_without_accesses(void **state)
{
	struct nbt_info info = {.has_events = true};
	struct nbt_event e = {.type = NBT_MAP, .arg = {1, 2, 3, ~0ull}};
	struct err err = {""};
	struct nbt_writer *w = nbt_create(FILE_NAME, &info, &err);
	struct nbt_block *b = nbt_block_new();
	struct nbt_reader *r;
	u64 events = 0;

	(void)state;
	assert_non_null(w);
	e.text = "a file";
	for (unsigned i = 0; i < 150000; i++)
		nbt_put_event(w, &e);
	nbt_add(w, 64, 0, 1);
	nbt_put_event(w, &e);
	assert_int_equal(nbt_finish(w, &err), 0);
	r = open_file();
	assert_true(nbt_blocks(r) > 2);
	assert_int_equal(nbt_seek(r, 0), nbt_blocks(r) - 1);
	for (size_t i = 0; i < nbt_blocks(r); i++) {
		assert_int_equal(nbt_read(r, i, b, &err), 0);
		assert_int_equal(b->runs, 1);
		events += b->events;
	}
	assert_int_equal(events, 150001);
	assert_int_equal(b->event[b->events - 1].at, 1);
	nbt_block_free(b);
	nbt_close(r);
}

/* A text too long is cut, and stays a text. */
static void long_text_is_cut(void **state)
{
	static u8 out[NBT_RECORD_MAX];
	static char text[2 * NBT_TEXT_MAX];
	struct nbt_event e = {.type = NBT_EXEC,
			      .arg = {~0ull, ~0ull, ~0ull, ~0ull}},
			 got;
	size_t size;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	e.thread = e.process = 0xffff;
	e.text = text;
	size = nbt_put_record(&e, NBT_BLOCK, out);
	assert_true(size <= sizeof(out));
	assert_int_equal(nbt_get_records(out, size, NBT_BLOCK, 1, &got), 0);
	assert_int_equal(strlen(got.text), NBT_TEXT_MAX - 1);
	for (size_t n = 0; n < size; n++)
		assert_true(nbt_get_records(out, n, NBT_BLOCK, 1, &got) < 0);
}

static void decoders_by_name(void **state)
{
	(void)state;
	assert_true(nbt_choose_decoder("vax") < 0);
	assert_int_equal(nbt_choose_decoder("portable"), 0);
	assert_string_equal(nbt_decoder(), "portable");
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
	(void)unlink(FILE_NAME);
	return chdir("/") || rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pattern),
		cmocka_unit_test(every_length),
		cmocka_unit_test(a_thread_for_each),
		cmocka_unit_test(little_is_stored),
		cmocka_unit_test(header_says_what_it_is),
		cmocka_unit_test(seeks),
		cmocka_unit_test(threads_share_a_reader),
		cmocka_unit_test(sign_is_extended),
		cmocka_unit_test(events_without_accesses),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(decoders_by_name),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
