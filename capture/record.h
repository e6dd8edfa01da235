/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread's recorder: accesses go to its lane of the ring. Used by one
 * thread at a time. If there is no lane for it, its accesses are lost and
 * counted as nothing: the recorder says so once, on stderr.
 */
#pragma once

#include "capture/ring.h"

struct recorder {
	u64 *words; /* of the lane's chunk, or of @nowhere */
	u32 n;
	struct ring_lane *lane;
	struct ring *ring;
	u64 insns; /* executed by this thread */
	u64 last;  /* @insns at the last access */
	u16 thread;
};

/* Begins to record as thread @thread of @process, with an event that says so.
 * @by is the thread that started it. */
void record_begin(struct recorder *v, struct ring *r, u16 process, u16 by);

/* Ends it; the recorder may begin again. */
void record_end(struct recorder *v);

/* The chunk is full. */
void record_flush(struct recorder *v);

/* A @gap that does not fit into a word. */
static inline void record_far(struct recorder *v, u64 word, u64 gap)
{
	v->words[v->n] = word | (u64)RING_FAR << RING_GAP_SHIFT;
	v->words[v->n + 1] = gap;
	v->n += 2;
}

static inline void record_add(struct recorder *v, u64 addr, u64 kind, u64 gap)
{
	u64 word = (addr & RING_ADDR) | kind << RING_KIND_SHIFT;

	if (__builtin_expect(gap < RING_FAR, 1))
		v->words[v->n++] = word | gap << RING_GAP_SHIFT;
	else
		record_far(v, word, gap);
	ring_publish(v->lane, v->n);
	if (__builtin_expect(v->n > RING_WORDS - 2, 0))
		record_flush(v);
}
