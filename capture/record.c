/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/record.h"

#include <stdio.h>

/* Where accesses go for which there is no lane. */
static u64 nowhere[RING_WORDS];
static struct ring_lane no_lane;

static bool is_lost(const struct recorder *v)
{
	return v->lane == &no_lane;
}

static void to_nowhere(struct recorder *v)
{
	v->lane = &no_lane;
	no_lane.position = 0;
	v->words = nowhere;
}

static void lose(struct recorder *v)
{
	static bool said;

	to_nowhere(v);
	if (!said)
		fprintf(stderr,
			"nestbox: more than %d threads: some are not "
			"recorded\n",
			RING_LANES);
	said = true;
}

void record_begin(struct recorder *v, struct ring *r, u16 process, u16 by)
{
	v->ring = r;
	v->thread = ring_new_thread(r);
	ring_event(r, &(struct nbt_event){.type = NBT_THREAD,
					  .thread = by,
					  .process = process,
					  .arg = {v->thread}});
	v->lane = ring_join(r, v->thread, process);
	if (v->lane)
		v->words = ring_words(r, v->lane);
	else
		lose(v);
	record_sync(v);
}

void record_end(struct recorder *v)
{
	if (!is_lost(v))
		ring_leave(v->ring, v->lane);
	to_nowhere(v);
}

void record_flush(struct recorder *v)
{
	if (is_lost(v))
		no_lane.position = 0;
	else
		v->words = ring_next(v->ring, v->lane);
}

void record_sync(struct recorder *v)
{
	u32 n = v->lane->position;

	v->words[n] = RING_SYNC;
	v->words[n + 1] = v->insns;
	ring_publish(v->lane, n + 2);
	if (n + 2 > RING_WORDS - 2)
		record_flush(v);
}
