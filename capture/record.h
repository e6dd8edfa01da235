/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread's recorder: accesses go to its lane of the ring. Used by one
 * thread at a time. If there is no lane for it, its accesses are lost and
 * counted as nothing: the recorder says so once, on stderr.
 */
#pragma once

#include "capture/ring.h"

struct recorder {
	u64 *words; /* of the lane's chunk, or of none */
	struct ring_lane *lane;
	u64 insns; /* executed by this thread */
	struct ring *ring;
	u64 quiet; /* instructions of blocks that access nothing */
	u16 thread;
};

/* Begins to record as thread @thread of @process, with an event that says so.
 * @by is the thread that started it. */
void record_begin(struct recorder *v, struct ring *r, u16 process, u16 by);

/* Ends it; the recorder may begin again. */
void record_end(struct recorder *v);

/* The chunk is full. */
void record_flush(struct recorder *v);

/* Says how many instructions there have been. */
void record_sync(struct recorder *v);

/* @kind: RING_KIND(); @count: instructions so far, with this one. */
static inline void record_add(struct recorder *v, u64 addr, u64 kind, u64 count)
{
	u32 n = v->lane->position;

	v->words[n] = addr | kind | count << RING_COUNT_SHIFT;
	ring_publish(v->lane, n + 1);
	if (__builtin_expect(n + 1 > RING_WORDS - 2, 0))
		record_flush(v);
}

/* A block of @length instructions that may access nothing. */
static inline void record_quiet(struct recorder *v, u64 length)
{
	v->quiet += length;
	if (v->quiet >= RING_COUNTS / 4) {
		v->quiet = 0;
		record_sync(v);
	}
}
