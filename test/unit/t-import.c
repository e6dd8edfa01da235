/* SPDX-License-Identifier: Apache-2.0 */
/* capture/import: what each format's records become, and what is refused. */
#include <inttypes.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "capture/import.h"
#include "lib/nbt/nbt.h"
#include "test/unit/unit.h"

#define IN  "in"
#define OUT "out.nbt"

static const struct capture_limits all;

static void write_file(const void *bytes, size_t n)
{
	FILE *f = fopen(IN, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* The trace of OUT as text: "L8 1000 +2" for each access, with "t1:" before
 * those of another thread than 0, and its events. */
static const char *read_trace(void)
{
	static char text[8192];
	struct err err;
	struct nbt_reader *r = nbt_open(OUT, &err);
	struct nbt_block *b = nbt_block_new();
	size_t event = 0, run = 0, n = 0;

	assert_true(r && b && nbt_blocks(r) == 1);
	assert_int_equal(nbt_read(r, 0, b, &err), 0);
	for (u32 i = 0; i < b->n; i++) {
		while (run + 1 < b->runs && b->run[run + 1].at <= i)
			run++;
		for (; event < b->events && b->event[event].at <= i; event++)
			n += (size_t)snprintf(
				text + n, sizeof(text) - n,
				"E%u %" PRIx64 " %" PRIx64 " %s\n",
				b->event[event].type, b->event[event].arg[0],
				b->event[event].arg[3],
				b->event[event].text ? b->event[event].text
						     : "");
		if (b->run[run].thread)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "t%u:", b->run[run].thread);
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%c%u %" PRIx64 " +%u\n",
			"LSFA"[NBT_WHAT(b->kind[i])], NBT_BYTES(b->kind[i]),
			b -> addr[i], b -> gap[i]);
		if (b->pa)
			n += (size_t)snprintf(text + n - 1, sizeof(text) - n,
					      " %" PRIx64 "\n", b->pa[i]) -
			     1;
	}
	nbt_block_free(b);
	nbt_close(r);
	assert_int_equal(unlink(OUT), 0);
	return text;
}

static void becomes_limited(const char *format,
			    const struct capture_limits *limits,
			    const char *trace)
{
	struct err err;

	if (import_trace(format, IN, OUT, limits, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(read_trace(), trace);
}

static void becomes(const char *format, const void *bytes, size_t n,
		    const char *trace)
{
	write_file(bytes, n);
	becomes_limited(format, &all, trace);
}

/* Nothing stands under the final name, nor beside it. */
static void is_refused(const char *format, const void *bytes, size_t n,
		       const char *why)
{
	struct err err;

	write_file(bytes, n);
	assert_true(import_trace(format, IN, OUT, &all, &err) < 0);
	assert_string_equal(err.text, why);
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(access(OUT, F_OK), -1);
}

/* raw */

static const u64 raw[] = {0x1000, 1ull << 63 | 0x7fff12345678,
			  0x00ff800000000000 | 1ull << 56};

static void raw_addresses(void **state)
{
	(void)state;
	becomes("raw", raw, sizeof(raw),
		"L8 1000 +1\nS8 7fff12345678 +1\nL8 ffff800000000000 +1\n");
	is_refused("raw", raw, 17, "in: record 3: cut off");
	is_refused("raw", "", 0, "in: no accesses in it");
}

static void limits_choose_accesses(void **state)
{
	struct capture_limits one = {.skip = 1, .limit = 1};
	struct capture_limits beyond = {.skip = 3};
	struct err err;

	(void)state;
	write_file(raw, sizeof(raw));
	becomes_limited("raw", &one, "S8 7fff12345678 +1\n");
	assert_true(import_trace("raw", IN, OUT, &beyond, &err) < 0);
	assert_string_equal(err.text,
			    "in: no accesses in it: none that is to be "
			    "recorded");
}

/* ChampSim */

struct instruction {
	u64 ip;
	u8 is_branch, taken, registers[6];
	u64 to[2], from[4];
};

static const struct instruction program[] = {
	{.ip = 0x400000},
	{.ip = 0x400004, .from = {0x1000, 0, 0x3000}, .to = {0, 0x2000}},
	{.ip = 0x400008, .is_branch = 1, .taken = 1},
	{.ip = 0x400008, .is_branch = 1},
	{.ip = 0x40000c, .to = {0x4000}},
};

static void champsim_instructions(void **state)
{
	struct instruction bad[2] = {program[0], {.is_branch = 7}};

	(void)state;
	becomes("champsim", program, sizeof(program),
		"L8 1000 +2\nL8 3000 +0\nS8 2000 +0\nS8 4000 +3\n");
	is_refused("champsim", bad, sizeof(bad),
		   "in: record 2: not one of ChampSim's input_instr");
	is_refused("champsim", program, sizeof(program) - 1,
		   "in: record 5: cut off");
}

/* lackey */

static const char lackey[] = "==12== Lackey, an example Valgrind tool\n"
			     "I  04001000,3\n"
			     " S 1ffeffe7e0,8\n"
			     "I  04001003,5\n"
			     "I  04001008,5\n"
			     " L 04222e70,4\n"
			     " M 0422aa28,16\n"
			     "I  0400100d,1\r\n"
			     " L 04222000,512\n"
			     " L 04222fff,10";

static void lackey_lines(void **state)
{
	static const char *const bad[] = {
		"I  04001000,\n",
		" L 04,0\n",
		" X 04,8\n",
		" L 11112222333344445,8",
		"L",
		"I",
		" L 04,8 \n",
		" L -4,8",
		"hello\n",
	};

	(void)state;
	becomes("lackey", lackey, sizeof(lackey) - 1,
		"S8 1ffeffe7e0 +1\nL4 4222e70 +2\nL16 422aa28 +0\n"
		"S16 422aa28 +0\nL128 4222000 +1\nL16 4222fff +0\n");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_refused("lackey", bad[i], strlen(bad[i]),
			   "in: line 1: not lackey's 'I', ' L', ' S' or ' M' "
			   "ADDRESS,SIZE");
	is_refused("lackey", " L 04,8\n\0\n", 10, "in: line 2: not text");
}

static void lines_have_a_longest(void **state)
{
	char line[300];

	(void)state;
	memset(line, 'x', sizeof(line));
	is_refused("lackey", line, sizeof(line), "in: line 1: too long");
}

/* drmemtrace */

struct entry {
	u16 type, size;
	u64 addr;
} __attribute__((packed));

static const struct entry thread_file[] = {
	{25, 0, 4},		     /* header: version */
	{28, 12, 4},		     /* marker: version */
	{28, 9, 0x240},		     /* marker: x86-64, encodings */
	{22, 0, 4711},		     /* thread */
	{24, 0, 4711},		     /* process */
	{47, 3, 0x90},		     /* encoding */
	{10, 3, 0x401000},	     /* an instruction */
	{1, 8, 0x7ffe0000},	     /* a store */
	{16, 1, 0x401003},	     /* a return */
	{0, 8, 0x7ffe0008},	     /* a load */
	{29, 2, 0x401003},	     /* the next round of a rep */
	{0, 1, 0x7ffe0010},	     /* its load */
	{22, 0, 4712},		     /* another thread */
	{17, 3, 0x020202},	     /* three instructions */
	{48, 2, 0x401010},	     /* a jump that is taken */
	{3, 64, 0x7ffe1000},	     /* a prefetch */
	{0, 32, 0xffffffffff600000}, /* a load */
	{26, 0, 0},		     /* footer */
	{99, 0, 0},		     /* what is behind it */
};

static void drmemtrace_entries(void **state)
{
	struct entry bad[4] = {thread_file[0]};

	(void)state;
	becomes("drmemtrace", thread_file, sizeof(thread_file),
		"S8 7ffe0000 +1\nL8 7ffe0008 +1\nL1 7ffe0010 +0\n"
		"t1:L32 ffffffffff600000 +4\n");
	is_refused("drmemtrace", thread_file + 1, 12,
		   "in: record 1: not drmemtrace's header; files in raw/ have "
		   "to be converted by DynamoRIO first");
	bad[1].type = 50;
	is_refused("drmemtrace", bad, sizeof(bad),
		   "in: record 2: of a type that is not known");
	bad[1] = (struct entry){28, 9, 0x50};
	is_refused("drmemtrace", bad, sizeof(bad),
		   "in: record 2: recorded on a machine of 32 bits");
	bad[1].addr = 0x140;
	is_refused("drmemtrace", bad, sizeof(bad),
		   "in: record 2: filtered: accesses are missing");
	bad[1].addr = 0x44;
	is_refused("drmemtrace", bad, sizeof(bad),
		   "in: record 2: has instructions only");
}

/* table */

static void table_rows(void **state)
{
	static const char table[] =
		"VA,PE1,PE2,PE3,PE4,PA\n"
		"7f0000000000,1007f0,2000,3000,4000,5000\n"
		"0x7f0000001000, 0x1007f0, 0x2000, 0x3000, 0x4008, 0x9000\n"
		"ff8000000000,100ff8,2000,3000,4000,6000\n";

	(void)state;
	becomes("table", table, sizeof(table) - 1,
		"E6 7f0000000000 4000 1007f0\n"
		"L8 7f0000000000 +1 5000\n"
		"E6 7f0000001000 4008 \n"
		"L8 7f0000001000 +1 9000\n"
		"E6 ff8000000000 4000 100ff8\n"
		"L8 ff8000000000 +1 6000\n");
	is_refused("table", "1,2,3,4,5\n", 10,
		   "in: line 1: not VA,PE1,PE2,PE3,PE4,PA, in hexadecimal");
	is_refused("table", "1,2,3,4,5,6,7\n", 14,
		   "in: line 1: not VA,PE1,PE2,PE3,PE4,PA, in hexadecimal");
}

/* Compressed input */

static size_t gzip(const void *bytes, size_t n, u8 *out, size_t room)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes,
		      .avail_in = (uInt)n,
		      .next_out = out,
		      .avail_out = (uInt)room};

	assert_int_equal(
		deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
		Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	return room - z.avail_out;
}

static size_t xz(const void *bytes, size_t n, u8 *out, size_t room)
{
	size_t size = 0;

	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL,
						 bytes, n, out, &size, room),
			 LZMA_OK);
	return size;
}

static void compressed_is_refused(const void *bytes, size_t n, const char *why)
{
	struct err err;

	write_file(bytes, n);
	assert_true(import_trace("raw", IN, OUT, &all, &err) < 0);
	assert_non_null(strstr(err.text, why));
	assert_int_equal(access(OUT, F_OK), -1);
}

static void compressed_input_is_the_same(void **state)
{
	size_t (*const pack[])(const void *, size_t, u8 *, size_t) = {gzip, xz};
	u8 packed[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pack); i++) {
		size_t n = pack[i](raw, 16, packed, sizeof(packed));
		size_t m = pack[i](raw + 2, 8, packed + n, sizeof(packed) - n);

		/* Files may follow each other. */
		becomes("raw", packed, n + m,
			"L8 1000 +1\nS8 7fff12345678 +1\n"
			"L8 ffff800000000000 +1\n");
		compressed_is_refused(packed, n + m - 9, "stream is cut off");
		packed[n / 2] ^= 0x55;
		packed[n / 2 + 1] ^= 0x55;
		compressed_is_refused(packed, n, "stream is damaged");
	}
}

static void what_is_not_there(void **state)
{
	struct err err;

	(void)state;
	assert_true(import_trace("raw", "none", OUT, &all, &err) < 0);
	assert_string_equal(err.text, "none: No such file or directory");
	assert_true(import_trace("raw", ".", OUT, &all, &err) < 0);
	assert_string_equal(err.text, ".: record 1: Is a directory");
	assert_true(import_trace("pin", IN, OUT, &all, &err) < 0);
	assert_string_equal(err.text, "unknown trace format 'pin': champsim, "
				      "lackey, drmemtrace, raw or table");
}

static int enter(void **state)
{
	static char folder[] = "/dev/shm/t-import-XXXXXX";

	*state = mkdtemp(folder);
	return *state ? chdir(folder) : -1;
}

static int leave(void **state)
{
	return unlink(IN) || chdir("/") || rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_addresses),
		cmocka_unit_test(limits_choose_accesses),
		cmocka_unit_test(champsim_instructions),
		cmocka_unit_test(lackey_lines),
		cmocka_unit_test(lines_have_a_longest),
		cmocka_unit_test(drmemtrace_entries),
		cmocka_unit_test(table_rows),
		cmocka_unit_test(compressed_input_is_the_same),
		cmocka_unit_test(what_is_not_there),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
