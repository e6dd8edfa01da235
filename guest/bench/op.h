/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation of the microbenchmark: what micro.c measures a series of.
 *
 * setup() prepares a series and returns NULL, or says why there is none
 * (then neither run() nor teardown() is called). run() performs the
 * operation once; between the markers there is nothing but this call.
 * Interrupts are off when it is called and when it returns. setup() and
 * teardown() may be NULL. run() must end by itself: one that waits counts
 * its turns and gives up through bench_fail().
 */
#pragma once

#include "lib/types.h"

enum op_needs {
	NEEDS_NOTHING,
	NEEDS_TWO_CPUS, /* smp_init() found at least one more */
};

struct op {
	const char *name;
	const char *doc;
	const char *(*setup)(u64 runs); /* so many calls of run() follow */
	void (*run)(void);
	void (*teardown)(void);
	enum op_needs needs;
};

/* Prints "error WHAT" and ends the payload. */
__attribute__((noreturn)) void bench_fail(const char *what, int value);

/* ops_cpu.c: instructions that trap. */
extern const struct op op_empty, op_cpuid, op_hypercall, op_msr_read, op_cr0_wp,
	op_page_fault;

/* ops_dev.c: devices of the level below. */
extern const struct op op_pio_user, op_dev_notify;

/* ops_irq.c: timers and interrupts. */
extern const struct op op_timer, op_self_ipi, op_ipi, op_ipi_halt, op_idle_wake;
