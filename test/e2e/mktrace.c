/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a small trace, the same whenever: for tests of what reads traces.
 *
 *   mktrace FILE PATTERN ACCESSES
 *
 * The patterns are those of bench/pattern.h, in a program of two threads which
 * mapped that memory, and unmaps the last sixteenth of it halfway.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pattern.h"
#include "lib/nbt/nbt.h"

#define BASE 0x7f0000000000ull
#define SIZE (1ull << 30)
#define TURN 10000 /* accesses of a thread before the other's */

static int write_trace(const struct accesses *a, const char *path,
		       const char *pattern, struct err *err)
{
	const struct nbt_event map = {.type = NBT_MAP,
				      .arg = {BASE, SIZE, 3, 0x22}};
	const struct nbt_event unmap = {
		.type = NBT_UNMAP, .arg = {BASE + SIZE * 15 / 16, SIZE / 16}};
	struct nbt_info info = {.source = "mktrace", .has_events = true};
	struct nbt_writer *w;

	snprintf(info.program, sizeof(info.program), "%s", pattern);
	w = nbt_create(path, &info, err);
	if (!w)
		return -1;
	nbt_put_event(w, &map);
	for (size_t i = 0; i < a->n; i++) {
		if (i % TURN == 0)
			nbt_thread(w, i / TURN % 2, 0);
		if (i == a->n / 2)
			nbt_put_event(w, &unmap);
		nbt_add(w, a->addr[i], a->kind[i], a->gap[i]);
	}
	return nbt_finish(w, err);
}

int main(int argc, char **argv)
{
	struct accesses a;
	struct err err;

	if (argc != 4 ||
	    pattern_make(argv[2], strtoul(argv[3], NULL, 10), &a)) {
		fputs("usage: mktrace FILE PATTERN ACCESSES\n", stderr);
		return 2;
	}
	if (write_trace(&a, argv[1], argv[2], &err)) {
		fprintf(stderr, "mktrace: %s\n", err.text);
		return 1;
	}
	accesses_free(&a);
	return 0;
}
