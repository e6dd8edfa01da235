/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attack payload's parts: random addresses, and the attacks, each of which
 * does one random thing that must not harm L0 and undoes what would harm the
 * payload itself. Faults of the payload are caught and mean nothing.
 *
 * Everything follows from the seed: the same seed does the same.
 */
#pragma once

#include "guest/lib/rnd.h"

/* A number as attackers like them: 0, ~0, one bit, addresses, any. */
u64 rnd_value(void);

/* Any byte of L0's memory, often one at an edge of a page or the block. */
u64 rnd_hole(void);

/* Says what comes next, with trace=1. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A check that failed: the run goes on and fails in the end. */
void failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As trap_try(); the vector is forgotten. */
void survive(void (*fn)(void *arg), void *arg);

/* The code of a test in memory: what is there is called like a function
 * with random registers. RAX when it returned, TRAPPED if it did not. */
#define CODE_MAX 64
#define TRAPPED	 0xdeadull
u64 run_code(const u8 *code, size_t n, u64 rax, u64 rcx);

/* Once, before any attack. */
void attack_cpu_init(void);
void attack_mem_init(void);

void attack_cpuid(void);
void attack_msr(void);
void attack_apic_base(void);
void attack_cr(void);
void attack_dr(void);
void attack_step(void);
void attack_svm(void);
void attack_hypercall(void);
void attack_prefix(void);
void attack_mode(void);
void attack_mode_prefix(void);
void attack_port(void);
void attack_string(void);
void attack_smi(void);
void attack_hole(void);
void attack_mmio(void);
void attack_tables(void);
void attack_edge(void);
void attack_event(void);
void attack_ipi(void);
