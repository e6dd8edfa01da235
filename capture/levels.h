/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which level's code a CPU is executing, inferred from outside, and what L0
 * spends its instructions on. Pure: capture/switchcount.c feeds it from a QEMU
 * plugin, the unit tests from scripts.
 *
 * Events carry @now, the number of instructions that CPU has executed up to
 * and including the one that causes the event.
 *
 *  - L0 enters a guest where it executes a VMRUN, and is left in peace until
 *    the instruction behind that VMRUN executes: that is one world switch.
 *  - A VMRUN at a higher level traps into L0, which emulates it. The
 *    instruction behind it executes when L0 (or the levels between) reflect an
 *    exit to that level.
 *
 * Limit: the state is kept per CPU, not per virtual CPU. L0's figures are
 * exact always; the split among L1, L2 ... is exact while each hypervisor runs
 * one virtual CPU per CPU (doc/caveats.md).
 */
#pragma once

#include "lib/svm_insn.h"
#include "lib/types.h"

#define LEVELS 6 /* L0..L5 */

/* What made L0 work between one #VMEXIT and the next VMRUN. */
enum cause {
	CAUSE_NONE,    /* no guest has run yet */
	CAUSE_OTHER,   /* any exit that L0 handled itself */
	CAUSE_REFLECT, /* an exit that L0 handed to a higher level */
	CAUSE_VMRUN,
	CAUSE_VMLOAD,
	CAUSE_VMSAVE,
	CAUSE_STGI,
	CAUSE_CLGI,
	CAUSE_INVLPGA,
	CAUSES
};

extern const char *const cause_name[CAUSES];

/* One SVM instruction in memory; lives as long as the run. */
struct site {
	enum svm_insn insn;
	int level; /* level of the code it belongs to; -1 = not executed yet */
	u64 vaddr;
	u64 count;
};

struct level_counts {
	u64 insns[LEVELS];	 /* executed by code of that level */
	u64 ticks[LEVELS];	 /* timer interrupts that it took */
	u64 vmruns[LEVELS];	 /* VMRUNs it executed; [0] = world switches */
	u64 exits[LEVELS];	 /* #VMEXITs it saw; [1..] = reflections */
	u64 cause_count[CAUSES]; /* L0's episodes ... */
	u64 cause_insns[CAUSES]; /* ... and L0's instructions in them */
};

/* One CPU. All zero is the state at power-on. */
struct level_cpu {
	struct level_counts counts;
	u64 since;	       /* first instruction not yet counted */
	int level;	       /* whose code executes */
	bool in_guest[LEVELS]; /* that level waits behind its VMRUN */
	enum cause cause;      /* of L0's current or last episode */
	u64 episode_insns;     /* L0's instructions in it */
	bool episode_closed;   /* ended by a VMRUN at instruction @entered */
	u64 entered;
	enum svm_insn trapped; /* last SVM instruction of L1 ... */
	u64 trapped_at;	       /* ... and when: an exit at once is its trap */
};

/* The SVM instruction @site is about to execute. */
void levels_insn(struct level_cpu *c, struct site *site, u64 now);

/* The instruction behind the VMRUN @site executes. */
void levels_behind(struct level_cpu *c, const struct site *site, u64 now);

/* The hypervisor that executes says that it has carried out the VMRUN of the
 * level above it, or, not @enter, what stands behind that. */
void levels_carried(struct level_cpu *c, bool enter);

/* The first instruction of a timer interrupt's handler executes. */
void levels_tick(struct level_cpu *c, u64 now);

/* Brings @c->counts up to date. */
void levels_sync(struct level_cpu *c, u64 now);
