/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What recorders hand to the process that writes the trace: memory that they
 * share. One ring serves one capture: any number of recorded processes, one
 * collector.
 *
 *	thread  --> lane: its chunk is filled, 8 bytes an access, without locks
 *	            | chunk full, or an event in the same process
 *	            v
 *	        queue: ranges of chunks, and events, in the order of the trace
 *	            |
 *	            v
 *	        collector (capture/collect.h) --> the file
 *
 * An event (munmap, fork ...) first queues what all lanes of its process hold:
 * accesses of other threads that happened before it come before it. All of it
 * is in shared memory, so what a killed process recorded is not lost.
 *
 * Who calls it: the plugin and the hooks (ring_join ... ring_leave, each lane
 * by its own thread; ring_event from any), the collector (the rest; one
 * thread). Functions that can block are told so; a recorder that blocks while
 * the collector dies ends its process.
 */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "lib/err.h"
#include "lib/nbt/nbt.h"

#define RING_WORDS  8192 /* of a chunk */
#define RING_LANES  1024 /* threads at the same time */
#define RING_QUEUE  8192
#define RING_AHEAD  128 /* chunks queued before recorders wait */
/* Each lane has one, and all of them may leave one more behind. */
#define RING_CHUNKS (2 * RING_LANES + RING_AHEAD)

/*
 * An access: bits 0-46 the address (user space), 47-48 log2 of its bytes, 49-50
 * enum nbt_access, 51 that it is a load and then a store, 52-63 the low bits of
 * the number of instructions that the thread has executed, this one included.
 * RING_SYNC as the kind: all bits of that number follow in a word of their own;
 * there is one wherever the low bits alone would not do.
 *
 * A word an access and its position are all that recording has to store, and
 * that is what makes it fast: a program that waits for memory goes on to its
 * next accesses as far as the CPU's store buffer reaches.
 */
#define RING_SIZE_SHIFT	 47
#define RING_WHAT_SHIFT	 49
#define RING_BOTH	 (1ull << 51)
#define RING_COUNT_SHIFT 52
#define RING_COUNTS	 (1u << (64 - RING_COUNT_SHIFT))
#define RING_ADDR	 ((1ull << RING_SIZE_SHIFT) - 1)
#define RING_SYNC	 ((u64)NBT_FETCH << RING_WHAT_SHIFT)
#define RING_WHAT	 (3ull << RING_WHAT_SHIFT)

/* Bits 47-50 for an access of up to 8 bytes. */
#define RING_KIND(what, log2_size) \
	((u64)(what) << RING_WHAT_SHIFT | (u64)(log2_size) << RING_SIZE_SHIFT)

struct ring_lane {
	pid_t pid; /* of its process; 0 = free */
	u16 thread, process;
	u32 chunk;
	u32 queued;   /* words of the chunk that the queue has */
	u32 position; /* words written; by the owner, without lock */
} __attribute__((aligned(64)));

enum ring_type {
	RING_RANGE, /* words of a chunk */
	RING_LAST,  /* the same; then the chunk is free */
	RING_EVENT, /* @event */
	RING_TEXT,  /* 0-terminated, as much of it as fits; belongs to the
		     * event behind it */
};

struct ring_entry {
	u16 type;
	u16 thread, process;
	u16 event;
	u32 chunk, from, to;
	u64 arg[4];
	pid_t pid; /* of a range's process */
	u8 spare[4];
};
ASSERT_SIZE(ring_entry, 64);
#define RING_TEXT_BYTES 60

struct ring;

/* Makes one; the descriptor @fd is for ring_open() through /proc. */
struct ring *ring_create(int *fd, struct err *err);
struct ring *ring_open(const char *path, struct err *err);
void ring_close(struct ring *r);

/* Recorders ****************************************************************/

u16 ring_new_thread(struct ring *r);
u16 ring_new_process(struct ring *r);

/* A lane for a new thread, or NULL: more than RING_LANES. Blocks. */
struct ring_lane *ring_join(struct ring *r, u16 thread, u16 process);

/* The lane's chunk is full: queues it. Returns another one. Blocks. */
u64 *ring_next(struct ring *r, struct ring_lane *lane);
u64 *ring_words(struct ring *r, const struct ring_lane *lane);

/* What the lane holds is queued; the lane is free. */
void ring_leave(struct ring *r, struct ring_lane *lane);

/* As ring_leave(), for all lanes of a process that records no more. Returns
 * its number, or -1 if it had none. Does not block: the collector calls it,
 * too. */
int ring_reap(struct ring *r, pid_t pid);

/* Queues @e behind everything that its process has recorded. Blocks. */
void ring_event(struct ring *r, const struct nbt_event *e);

/* How far an owner has written. */
static inline void ring_publish(struct ring_lane *lane, u32 position)
{
	__atomic_store_n(&lane->position, position, __ATOMIC_RELEASE);
}

/* Collector ****************************************************************/

/* How many entries there are now. */
u32 ring_queued(struct ring *r);
/* The next entry, or false: there is none now. */
bool ring_pop(struct ring *r, struct ring_entry *e);
/* The words of a popped entry. */
const u64 *ring_range(struct ring *r, const struct ring_entry *e);
/* After a popped RING_LAST is used up. */
void ring_free(struct ring *r, const struct ring_entry *e);
/* Waits for an entry, a signal, or @ms milliseconds. */
void ring_wait(struct ring *r, unsigned ms);
/* Recorders never block from now on; what they record is lost. */
void ring_stop(struct ring *r);
/* Calls @use for each process that has a lane. */
void ring_each_process(struct ring *r, void (*use)(pid_t pid, void *data),
		       void *data);
