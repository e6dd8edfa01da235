/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces for the tests of lib/nbt: accesses with every form that a column can
 * have, written to a file and compared with what is read.
 */
#pragma once

#include "lib/nbt/nbt.h"

struct sample {
	u64 addr, pa, gap;
	u8 kind;
	u16 thread, process;
	bool has_event; /* before it, with its number as argument */
};

/* A way to make addresses, kinds and gaps. */
enum pattern {
	PATTERN_RANDOM,	 /* read-modify-write of random words of 1 GiB */
	PATTERN_CHASE,	 /* random nodes of 64 bytes */
	PATTERN_STREAM,	 /* three streams */
	PATTERN_TREE,	 /* searches in nodes of a tree */
	PATTERN_SAME,	 /* one address */
	PATTERN_EXTREME, /* the ends of both canonical halves, any bytes */
	PATTERN_LENGTHS, /* deltas of every length */
	PATTERN_STACK,	 /* heap and stack in turn; gaps around 255 */
	PATTERN_FEW,	 /* kinds of 20 values, 16 of them frequent */
	PATTERNS
};

/* How a file is to be made. */
struct sample_file {
	enum pattern pattern;
	enum nbt_codec codec;
	size_t n;
	bool physical;
	unsigned thread_every; /* accesses between changes of thread; 0: one */
	unsigned event_every;  /* accesses between events; 0: none */
	unsigned block;	       /* accesses of a block; 0: NBT_BLOCK */
};

/* The accesses themselves; freed with free(). */
struct sample *sample_new(const struct sample_file *f);

/* Writes them; < 0 as nbt_finish(). */
int sample_write(const struct sample_file *f, const struct sample *s,
		 const char *path, struct err *err);

/* The event before access @i of a sample. */
struct nbt_event sample_event(size_t i, const struct sample *s);

/* Stops the test unless block @b is what the sample has from b->first on. */
void sample_check(const struct sample_file *f, const struct sample *s,
		  const struct nbt_block *b);
