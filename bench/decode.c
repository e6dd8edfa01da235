/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/decode: how fast lib/nbt decodes traces, in millions of accesses per
 * second of one core, beside the machine's limit (bench/limit_decode.h) on the
 * same data in the same run. Both sum up the addresses, so that none is left
 * out; the trace's are read from a file in memory, with all checks.
 */
#include <stdio.h>

#include "bench/bench.h"
#include "bench/limit_decode.h"

#define ACCESSES (16u << 20)
#define ROUNDS	 7

static const char *const decoders[] = {"avx512", "avx2", "portable"};

struct result {
	double rate;  /* accesses per ns */
	double bytes; /* per access */
	u64 sum;
};

static void add_up(void *ctx, const u64 *addr, size_t n)
{
	u64 *sum = ctx, here = 0;

	for (size_t i = 0; i < n; i++)
		here += addr[i];
	*sum += here;
}

static void faster(struct result *r, double rate)
{
	if (rate > r->rate)
		r->rate = rate;
}

static void run_limit(const struct limit_trace *t, struct result *r)
{
	static u64 addr[LIMIT_BLOCK];
	double start = bench_now();

	r->sum = 0;
	limit_decode(t, addr, add_up, &r->sum);
	faster(r, (double)t->n / (bench_now() - start) / 1e6);
	r->bytes = (double)t->size / (double)t->n;
}

static void run_nbt(const struct nbt_reader *trace, const char *decoder,
		    struct result *r)
{
	struct nbt_block *b = nbt_block_new();
	struct err err = {""};
	double start;

	if (!b)
		bench_die("no memory");
	if (nbt_choose_decoder(decoder) < 0) {
		nbt_block_free(b);
		return;
	}
	start = bench_now();
	r->sum = 0;
	for (size_t i = 0; i < nbt_blocks(trace); i++) {
		if (nbt_read(trace, i, b, &err) < 0)
			bench_die(err.text);
		add_up(&r->sum, b->addr, b->n);
	}
	faster(r,
	       (double)nbt_info(trace)->accesses / (bench_now() - start) / 1e6);
	nbt_block_free(b);
}

/* Writes a trace to memory; returns how fast. */
/* Returns the rate. */
static double write_trace(const struct accesses *a, enum nbt_codec codec,
			  const char *path)
{
	struct nbt_info info = {.program = "bench", .codec = codec};
	double start = bench_now();

	bench_write(a, &info, path);
	return (double)a->n / (bench_now() - start) / 1e6;
}

static void print(const char *pattern, const char *codec, const char *decoder,
		  const struct result *r, const struct result *limit)
{
	if (r->rate == 0)
		return;
	printf("%-8s %-5s %-9s %8.0f %6.2f %9.3f\n", pattern, codec, decoder,
	       r->rate, limit ? r->rate / limit->rate : 1.0, r->bytes);
}

/* One pattern in one codec, by each decoder. */
static void measure(const char *pattern, const struct accesses *a,
		    enum nbt_codec codec, const char *path)
{
	const char *name = codec == NBT_ZSTD ? "zstd" : "raw";
	struct result limit = {0}, r[ARRAY_SIZE(decoders)] = {0};
	struct limit_trace t;
	struct err err = {""};
	double written = write_trace(a, codec, path);
	struct nbt_reader *trace = nbt_open(path, &err);
	FILE *f = fopen(path, "rb");

	if (!trace || !f || fseek(f, 0, SEEK_END) ||
	    limit_encode(a->addr, a->n, codec == NBT_ZSTD, &t) < 0)
		bench_die("no memory");
	for (int round = 0; round < ROUNDS; round++) {
		run_limit(&t, &limit);
		for (size_t i = 0; i < ARRAY_SIZE(decoders); i++)
			run_nbt(trace, decoders[i], &r[i]);
	}
	print(pattern, name, "limit", &limit, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
		if (r[i].rate != 0 && r[i].sum != limit.sum)
			bench_die("a decoder differs");
		r[i].bytes = (double)ftell(f) / (double)a->n;
		print(pattern, name, decoders[i], &r[i], &limit);
	}
	printf("%-8s %-5s %-9s %8.0f\n", pattern, name, "(writing)", written);
	(void)fclose(f);
	limit_free(&t);
	nbt_close(trace);
}

static void measure_codecs(const char *pattern, const struct accesses *a,
			   const char *path, const void *ctx)
{
	(void)ctx;
	measure(pattern, a, NBT_RAW, path);
	measure(pattern, a, NBT_ZSTD, path);
}

int main(int argc, char **argv)
{
	printf("%-8s %-5s %-9s %8s %6s %9s\n", "pattern", "codec", "decoder",
	       "M acc/s", "limit", "bytes/acc");
	bench_patterns(argc > 1 ? argv[1] : NULL, ACCESSES, measure_codecs,
		       NULL);
	return 0;
}
