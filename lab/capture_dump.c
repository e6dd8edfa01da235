/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace as text, for people and scripts. Accesses are written as valgrind's
 * lackey does (" L 1ffe,8"), threads and events as lines with '@' and '='.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lab/capture.h"
#include "lab/save.h"
#include "lib/nbt/summary.h"

static void print_event(const struct nbt_event *e)
{
	printf("= %s %u.%u", nbt_event_name[e->type], e->process, e->thread);
	for (int i = 0; i < 4; i++)
		printf(" %" PRIx64, e->arg[i]);
	printf("%s%s\n", e->text ? " " : "", e->text ? e->text : "");
}

static void print_access(const struct nbt_block *b, u32 i)
{
	static const char letter[] = {
		[NBT_LOAD] = 'L',
		[NBT_STORE] = 'S',
		[NBT_FETCH] = 'I',
		[NBT_ATOMIC] = 'A',
	};

	printf(" %c %" PRIx64 ",%u", letter[NBT_WHAT(b->kind[i])], b->addr[i],
	       NBT_BYTES(b->kind[i]));
	if (b->pa)
		printf(" %" PRIx64, b->pa[i]);
	printf(" +%u\n", b->gap[i]);
}

static void print_block(const struct nbt_block *b)
{
	size_t run = 0, event = 0;

	for (u32 i = 0; i <= b->n; i++) {
		for (; event < b->events && b->event[event].at == i; event++)
			print_event(&b->event[event]);
		for (; run < b->runs && b->run[run].at == i; run++)
			printf("@ %u.%u\n", b->run[run].process,
			       b->run[run].thread);
		if (i < b->n)
			print_access(b, i);
	}
}

int capture_dump(const char *path, struct err *err)
{
	struct nbt_reader *r = nbt_open(path, err);
	struct nbt_block *b = nbt_block_new();
	int result = r && b ? 0 : -1;

	if (r && !b)
		err_set(err, "no memory");
	for (size_t i = 0; !result && i < nbt_blocks(r); i++) {
		result = nbt_read(r, i, b, err);
		if (!result)
			print_block(b);
	}
	if (!result)
		result = save_stdout(err);
	nbt_block_free(b);
	if (r)
		nbt_close(r);
	return result;
}
