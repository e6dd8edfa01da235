/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine model and radix walks once more, slow and obvious: one access
 * after the other, arrays searched from end to end, a time stamp for each use.
 * It shares no code with walk/ but walk/key.h and walk/space.h, which say where
 * things are. t-textbook compares walk/ with it, event by event.
 */
#pragma once

#include "test/unit/memory_trace.h"
#include "walk/walk.h"

/* What happened in one walk, in order. */
struct walk_event {
	u64 va;
	u32 cycles;
	u32 refs;
	u8 step[STEPS], hit[STEPS]; /* enum hit */
	u64 below_l1[HITS]; /* the program's accesses up to here, by level */
};

struct walk_log {
	struct walk_event *event;
	size_t count, room;
};

struct walk_event *log_add(struct walk_log *log);

/* As walk_run() with the design radix; adds each walk to @log. */
void textbook_run(const struct nbt_reader *trace, const struct walk_spec *spec,
		  struct walk_stats *out, struct walk_log *log);
