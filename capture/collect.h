/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: takes what recorders put into a ring (capture/ring.h) and
 * writes the trace. One thread calls it; it never blocks.
 *
 * An access of 16 bytes or more, which the emulator does in pieces, becomes one
 * again: pieces of 8 bytes behind each other, of the same kind, without an
 * instruction in between.
 */
#pragma once

#include "capture/limits.h"
#include "capture/ring.h"

struct collector;

/* @counted: the recorders know of instructions and mappings; if not, there is
 * one instruction for each access, and mappings are looked up in /proc as soon
 * as there is an access outside of those that are known. */
struct collector *collect_new(struct ring *r, struct nbt_writer *w,
			      const struct capture_limits *limits,
			      bool counted);
/* Writes what it still has. The writer is the caller's. */
void collect_end(struct collector *c);

/* Writes all that is there, not what comes meanwhile: recorders may be faster,
 * and its caller has other things to do. */
void collect_drain(struct collector *c);

/* The process @pid is no more: what it left is written, and that it ended. */
void collect_reap(struct collector *c, pid_t pid);

/* Nothing more will be recorded: the limit is reached, or writing failed. */
bool collect_done(const struct collector *c);

/* Accesses that were seen, whether recorded or not. */
u64 collect_seen(const struct collector *c);
