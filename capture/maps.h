/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process's mappings as /proc tells them (proc(5), /proc/PID/maps), and how
 * they differ from what was known before.
 *
 * Who calls it: capture/guest_map.c, for the lines; the collector, which has a
 * struct maps for each process whose recorder does not see system calls. One
 * thread at a time.
 */
#pragma once

#include <stdio.h>

#include "lib/nbt/nbt.h"

#define MAPS_PATH 2048

struct mapping {
	u64 from, to, offset;
	int prot, flags;      /* PROT_*, MAP_* */
	char path[MAPS_PATH]; /* "", a file, or "[heap]" and its like */
};

/* Reads "from-to prot offset dev inode path"; false: that is no such line. */
bool mapping_parse(const char *line, struct mapping *m);

/* Of the program: not the recorder's shared memory, and not the kernel's page
 * in the upper half ("[vsyscall]"). */
bool mapping_is_own(const struct mapping *m);

struct maps_range {
	u64 from, to;
	int prot, flags;
	char *path; /* NULL: none */
};

struct maps {
	struct maps_range *v; /* ascending, not overlapping */
	size_t n;
	u64 from, size; /* of the one where the last address was */
};

void maps_free(struct maps *m);

/* @to, which is empty, becomes the same. */
void maps_copy(struct maps *to, const struct maps *from);

/*
 * Reads all lines of @f, which become @m, and calls @put with an event for each
 * piece that was not there (NBT_MAP), is not there any more (NBT_UNMAP) or may
 * be accessed otherwise (NBT_PROTECT). What has stayed is not touched. Returns
 * whether there was any event. Without memory, mappings are missing; a process
 * that ends has no lines, which changes nothing.
 */
bool maps_update(struct maps *m, FILE *f,
		 void (*put)(void *data, const struct nbt_event *e),
		 void *data);

/* Adds what an NBT_MAP says, which overlaps nothing. */
void maps_add(struct maps *m, const struct nbt_event *e);

/* Looks elsewhere than where the last address was. */
bool maps_search(struct maps *m, u64 addr);

static inline bool maps_has(struct maps *m, u64 addr)
{
	return __builtin_expect(addr - m->from < m->size, 1) ||
	       maps_search(m, addr);
}
