/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recorder under QEMU's user mode knows of the program that the
 * emulator runs: its mappings when it starts, its system calls, the programs
 * that it executes. Called by capture/nbtrace_user.c, in the thread concerned.
 */
#pragma once

#include "capture/record.h"

#define GUEST_SEGMENTS 64

/* The recorded process; all of the emulator's callbacks share it. */
struct guest {
	struct ring *ring;
	const char *ring_path;
	u64 base; /* host address of the guest's address 0 */
	u64 brk;
	u16 process;
	unsigned live; /* threads */
	bool threads;  /* there has been a second one */
	/* Of System V's shared memory: shmdt() names no length. */
	struct guest_segment {
		u64 at, length; /* 0 = none */
	} segment[GUEST_SEGMENTS];
};

/* A system call that has begun. */
struct guest_call {
	int64_t number;
	u64 arg[6];
	u16 child; /* fork: its process number */
};

/* One event of @process. */
void guest_event(const struct guest *g, u16 thread, enum nbt_event_type type,
		 const u64 arg[4], const char *text);

/* NBT_MAP for each mapping of a program that has not begun to run. */
void guest_map_initial(const struct guest *g, u16 thread);

/* Before and after a system call. guest_return() returns true in a process
 * that has just been forked: its recorder has to begin anew. */
void guest_call(struct guest *g, struct recorder *v, struct guest_call *call);
bool guest_return(struct guest *g, const struct recorder *v,
		  const struct guest_call *call, int64_t result);

/* execve(@path, @argv, @envp), guest addresses: replaces the emulator by one
 * that runs that program and records on. Returns if it cannot be recorded; the
 * emulator then does what it does. */
void guest_exec(const struct guest *g, u16 thread, u64 path, u64 argv,
		u64 envp);
