/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a pattern (workload/pattern.h) uses memory. Patterns are written once and
 * compiled twice: here, for the programs, accesses are accesses. For `nestbox
 * capture --synth`, capture/synth/ comes first in the include path, whose
 * workload/memory.h records them without there being any memory.
 *
 * What a program reads from memory, synth has to compute: so LOAD has the value
 * that a pattern's fill() has put there, as a closed form. Programs do not
 * evaluate it.
 *
 *   LOAD(m, T, at, value)    reads a T
 *   LOAD_ANY(...)            the same where operations have changed what is
 *                            read: the value is as good as the real one
 *   STORE(m, T, at, value)   writes one
 *   WORK(m, n)               n instructions that access no memory, as gcc -O2
 *                            has them in the programs (accesses count
 *                            themselves); measured, see doc/workloads.md
 *   DECIDE(m, real, model)   a choice that depends on what was stored before
 *   MODEL(m, statement)      what synth remembers of it
 */
#pragma once

#include "lib/types.h"

struct memory; /* there is none */

/* For synth only: compiled, and never evaluated. */
#define FOR_SYNTH(value) ((void)(0 && ((void)(value), 0)))

#define LOAD(m, T, at, value) \
	((void)(m), FOR_SYNTH(value), *(const T *)(const void *)(uintptr_t)(at))
#define LOAD_ANY LOAD
#define STORE(m, T, at, value) \
	((void)(m), *(T *)(void *)(uintptr_t)(at) = (T)(value))
#define WORK(m, n)	       ((void)(m), FOR_SYNTH(n))
#define DECIDE(m, real, model) ((void)(m), FOR_SYNTH(model), (real))
#define MODEL(m, statement)    ((void)(m), FOR_SYNTH(statement))

/* The address of @bytes of zeros. There is no way back: programs end when they
 * have no memory. */
u64 memory_map(struct memory *m, u64 bytes);

/* Zeros that only synth has, for MODEL; they go with @m. NULL: no memory. */
void *memory_remember(struct memory *m, u64 bytes);
