/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between svm_storm.c, which runs the guests, and svm_storm_judge.c, which says
 * in TAP what became of their events.
 */
#pragma once

#include "guest/lib/x86.h"
#include "guest/test/svm_ahead.h"
#include "lib/vmcb.h"

#define CPUS   2u
#define GUESTS 4u

/* One at each guest's. */
struct vcpu {
	struct vmcb vmcb, load;
	struct round round;
	struct round_info info;
	u64 injected, again, windows, kicked, faults, halts, moves;
	u64 lost, twice, strange;
	u64 runs;
	u32 random;
	unsigned cpu; /* the last one */
	bool is_taken, is_new, in_service, wants, window;
} __attribute__((aligned(PAGE_SIZE)));

extern struct vcpu vcpus[GUESTS];

/* Interrupts of a CPU: the next one is sent when the last has been handled. */
extern u64 kicks_sent[CPUS];
extern volatile u64 kicks_taken[CPUS];

/* Once no CPU runs a guest. Returns the payload's value for guest_exit(). */
int storm_judge(void);
