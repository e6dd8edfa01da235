/* SPDX-License-Identifier: Apache-2.0 */
/* lib/nbt: a damaged file loses its damaged blocks, says so, and no more. */
#include <unistd.h>

#include "lib/nbt/format.h"
#include "lib/nbt/reader.h"
#include "lib/nbt/summary.h"
#include "test/unit/nbt_sample.h"
#include "test/unit/unit.h"

#define BLOCKS 7
#define EACH   40 /* accesses of a block */
#define HEADER sizeof(struct nbt_file_header)

static struct sample_file form = {
	.pattern = PATTERN_STACK,
	.n = (size_t)BLOCKS * EACH,
	.physical = true,
	.thread_every = 9,
	.event_every = 6,
	.block = EACH,
};

static struct sample *sample;
static u8 *whole; /* the file */
static size_t size;
static size_t start[BLOCKS + 1]; /* of each block, and of the index */
static struct nbt_block *block;

/* What a reader has made of a file. */
struct outcome {
	bool opened, complete, header;
	bool good[BLOCKS];
	unsigned lost; /* that it has told of */
};

/* Reads @n bytes as a file, where each byte beyond is an error; what it gives
 * as good has to be so. */
static struct outcome read_bytes(const u8 *bytes, size_t n)
{
	struct outcome o = {0};
	struct err err = {""};
	u8 *copy = malloc(n + !n);
	struct nbt_reader *r;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	r = nbt_open_bytes(copy, n, "bytes", &err);
	o.opened = r != NULL;
	assert_true(r || err.text[0]);
	for (size_t i = 0; r && i < nbt_blocks(r); i++) {
		if (nbt_read(r, i, block, &err) < 0) {
			o.lost++;
			continue;
		}
		sample_check(&form, sample, block);
		assert_int_equal(block->first % EACH, 0);
		assert_int_equal(block->n, EACH);
		o.good[block->first / EACH] = true;
	}
	if (r) {
		o.complete = nbt_info(r)->complete;
		o.header = !nbt_info(r)->damaged_header;
		o.lost += nbt_info(r)->lost_blocks;
	}
	nbt_close(r);
	free(copy);
	return o;
}

static void cut_off_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n < size; n++) {
		struct outcome o = read_bytes(whole, n);

		assert_int_equal(o.opened, n >= start[1]);
		assert_false(o.complete);
		for (int i = 0; i < BLOCKS; i++)
			assert_int_equal(o.good[i], n >= start[i + 1]);
	}
	assert_true(read_bytes(whole, size).complete);
}

/* Block @i only is lost, and that was told. */
static void expect_lost(const struct outcome *o, int lost)
{
	assert_true(o->opened);
	assert_true(o->header);
	assert_true(lost >= 0 ? o->lost == 1 : o->lost == 0);
	for (int i = 0; i < BLOCKS; i++)
		assert_int_equal(o->good[i], i != lost);
}

static void a_bit_anywhere(void **state)
{
	u8 *copy = malloc(size);

	(void)state;
	assert_non_null(copy);
	for (size_t at = 0; at < size; at++) {
		struct outcome o;
		int hit = -1;

		memcpy(copy, whole, size);
		copy[at] ^= (u8)(1 << at % 8);
		o = read_bytes(copy, size);
		for (int i = 0; i < BLOCKS; i++)
			if (at >= start[i] && at < start[i + 1])
				hit = i;
		if (at < HEADER) {
			assert_false(o.header);
			o.header = true;
		}
		assert_int_equal(o.complete, at < start[BLOCKS]);
		expect_lost(&o, hit);
	}
	free(copy);
}

/* Of the last block, the number is missed by none that follows. */
static void expect_moved(const u8 *bytes, size_t n, int lost)
{
	struct outcome o = read_bytes(bytes, n);

	assert_false(o.complete);
	o.lost += lost == BLOCKS - 1 && !o.lost;
	expect_lost(&o, lost);
}

/* Bytes that are gone, or that came in between, move all that follow. */
static void bytes_gone_or_added(void **state)
{
	u8 *copy = malloc(size + 100);

	(void)state;
	assert_non_null(copy);
	for (size_t at = HEADER; at < start[BLOCKS]; at += 13) {
		size_t n = 1;
		int i = 0;

		while (at >= start[i + 1])
			i++;
		if (start[i + 1] - at > 30)
			n = 30;
		memcpy(copy, whole, at);
		memcpy(copy + at, whole + at + n, size - at - n);
		expect_moved(copy, size - n, i);
		memset(copy + at, 0xb1, 100);
		memcpy(copy + at + 100, whole + at, size - at);
		expect_moved(copy, size + 100, at == start[i] ? -1 : i);
	}
	free(copy);
}

/* A block more, before the fourth: not the one that follows there. */
static void expect_ignored(const u8 *bytes, size_t n)
{
	u8 *copy = malloc(size + n);
	struct outcome o;

	assert_non_null(copy);
	memcpy(copy, whole, start[3]);
	memcpy(copy + start[3], bytes, n);
	memcpy(copy + start[3] + n, whole + start[3], size - start[3]);
	o = read_bytes(copy, size + n);
	expect_lost(&o, -1);
	free(copy);
}

static void blocks_that_do_not_belong(void **state)
{
	size_t n = start[4] - start[3];
	struct nbt_block_header h;
	u8 *other = malloc(n);

	(void)state;
	assert_non_null(other);
	expect_ignored(whole + start[1], start[2] - start[1]);
	memcpy(other, whole + start[3], n);
	memcpy(&h, other, sizeof(h));
	h.id++;
	h.instructions++;
	h.header_sum = NBT_HEADER_SUM(&h, header_sum);
	memcpy(other, &h, sizeof(h));
	expect_ignored(other, n);
	free(other);
}

static void no_trace(void **state)
{
	static const char text[4096] = "plain text";
	struct err err = {""};

	(void)state;
	assert_null(nbt_open("/nowhere/t.nbt", &err));
	assert_non_null(strstr(err.text, "No such file"));
	assert_null(nbt_open("/dev/null", &err));
	assert_non_null(strstr(err.text, "not a file"));
	assert_null(nbt_open_bytes((const u8 *)text, 0, "t", &err));
	assert_non_null(strstr(err.text, "empty"));
	assert_null(nbt_open_bytes((const u8 *)text, sizeof(text), "t", &err));
	assert_non_null(strstr(err.text, "not a trace"));
}

static void another_version(void **state)
{
	struct nbt_file_header h;
	struct err err = {""};
	u8 *copy = malloc(size);

	(void)state;
	assert_non_null(copy);
	memcpy(copy, whole, size);
	memcpy(&h, copy, sizeof(h));
	h.version = 2;
	h.sum = NBT_HEADER_SUM(&h, sum);
	memcpy(copy, &h, sizeof(h));
	assert_null(nbt_open_bytes(copy, size, "t", &err));
	assert_non_null(strstr(err.text, "version 2"));
	free(copy);
}

/* What --info and --verify print. */
static void summaries(void **state)
{
	struct nbt_summary s;
	struct err err = {""};
	u8 *copy = malloc(size);
	struct nbt_reader *r;
	u64 events = 0;

	(void)state;
	assert_non_null(copy);
	memcpy(copy, whole, size);
	r = nbt_open_bytes(copy, size, "t", &err);
	assert_non_null(r);
	assert_int_equal(nbt_summarize(r, false, &s, &err), 0);
	for (int i = 0; i < NBT_EVENTS; i++)
		events += s.event[i];
	assert_int_equal(events, (BLOCKS * EACH + 5) / 6);
	assert_int_equal(s.event[NBT_MAP], 24);
	assert_int_equal(s.bytes, size);
	assert_int_equal(s.blocks, BLOCKS);
	assert_int_equal(s.threads, (BLOCKS * EACH + 8) / 9);
	assert_int_equal(s.processes, 7);
	assert_int_equal(s.damaged, 0);
	assert_int_equal(s.lost_accesses, 0);
	assert_true(s.physical);
	nbt_summary_free(&s);
	copy[start[2] + 200] ^= 1;
	copy[start[4] + 3] ^= 1;
	assert_int_equal(nbt_summarize(r, true, &s, &err), 0);
	assert_int_equal(s.damaged, 2);
	assert_int_equal(s.damage[0].block, 2);
	assert_int_equal(s.damage[0].offset, start[2]);
	assert_int_equal(s.damage[0].first, 2 * EACH);
	assert_string_equal(s.damage[0].why, "its checksum differs");
	assert_int_equal(s.damage[1].block, 4);
	assert_string_equal(s.damage[1].why, "its header is damaged");
	assert_int_equal(s.lost_accesses, 2 * EACH);
	nbt_summary_free(&s);
	nbt_close(r);
	free(copy);
}

static void load_file(const char *path)
{
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = (size_t)ftell(f);
	rewind(f);
	whole = malloc(size);
	assert_non_null(whole);
	assert_int_equal(fread(whole, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* The file of all tests. */
static int make_file(void **state)
{
	char path[] = "/dev/shm/t-nbt-damage-XXXXXX";
	int fd = mkstemp(path);
	struct err err = {""};
	size_t at = HEADER;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	sample = sample_new(&form);
	assert_int_equal(sample_write(&form, sample, path, &err), 0);
	load_file(path);
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i <= BLOCKS; i++) {
		struct nbt_block_header h;

		start[i] = at;
		memcpy(&h, whole + at, sizeof(h));
		at += sizeof(h) + h.stored;
	}
	block = nbt_block_new();
	return 0;
}

static int free_file(void **state)
{
	(void)state;
	free(sample);
	free(whole);
	nbt_block_free(block);
	return 0;
}

static int make_zstd_file(void **state)
{
	form.codec = NBT_ZSTD;
	form.pattern = PATTERN_SAME;
	return make_file(state);
}

#define TESTS                                                                 \
	cmocka_unit_test(cut_off_anywhere), cmocka_unit_test(a_bit_anywhere), \
		cmocka_unit_test(bytes_gone_or_added),                        \
		cmocka_unit_test(blocks_that_do_not_belong),                  \
		cmocka_unit_test(another_version), cmocka_unit_test(summaries)

int main(void)
{
	const struct CMUnitTest raw[] = {TESTS, cmocka_unit_test(no_trace)};
	const struct CMUnitTest zstd[] = {TESTS};
	int failed = cmocka_run_group_tests(raw, make_file, free_file);

	return failed + cmocka_run_group_tests(zstd, make_zstd_file, free_file);
}
