/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a trace, for `nestbox capture --info` and `--verify`, which print
 * it. Reads; any number of threads may do so, each with a summary of its own.
 */
#pragma once

#include "lib/nbt/nbt.h"

/* A block that cannot be read. */
struct nbt_damage {
	u64 block;  /* as nbt_read() counts */
	u64 offset; /* in the file */
	u64 first;  /* its first access */
	char why[64];
};

struct nbt_summary {
	u64 bytes; /* of the file */
	u64 blocks;
	u64 compressed;	       /* of these, blocks under zstd */
	u64 event[NBT_EVENTS]; /* by type; VMAs are those of NBT_MAP */
	u64 threads;	       /* distinct ones, of all processes */
	u64 processes;
	bool physical;	   /* accesses have physical addresses */
	u64 lost_accesses; /* of blocks that are damaged or missing */
	size_t damaged;	   /* beside the lost blocks of nbt_info() */
	struct nbt_damage *damage;
};

/*
 * Fills @s, which nbt_summary_free() frees. If @all, every block is decoded and
 * its checksum compared; if not, only what the figures need, and damage shows
 * only where that is. Returns < 0 if there is no memory.
 */
int nbt_summarize(const struct nbt_reader *r, bool all, struct nbt_summary *s,
		  struct err *err);
void nbt_summary_free(struct nbt_summary *s);

extern const char *const nbt_event_name[NBT_EVENTS];
