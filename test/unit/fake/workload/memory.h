/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload/memory.h with memory that is compared with what a pattern says of
 * it: the program and --synth at once.
 */
#pragma once

#include <string.h>

#include "lib/types.h"

struct memory {
	u64 loads, stores, work;
	u64 wrong; /* loads that found another value */
	u64 mapped[512], bytes[512];
	unsigned maps;
	void *remembered[64];
	unsigned memories;
};

bool memory_has(const struct memory *m, u64 at, u64 bytes);

#define LOAD_ANY(m, T, at, value)                                    \
	((void)(value), (m)->wrong += !memory_has(m, at, sizeof(T)), \
	 (m)->loads++, *(const T *)(const void *)(uintptr_t)(at))
#define LOAD(m, T, at, value)                                       \
	({                                                          \
		u64 at_ = (at);                                     \
		T is_ = LOAD_ANY(m, T, at_, 0), want_ = (value);    \
		(m)->wrong += memcmp(&is_, &want_, sizeof(T)) != 0; \
		is_;                                                \
	})
#define STORE(m, T, at, value)                                       \
	((m)->wrong += !memory_has(m, at, sizeof(T)), (m)->stores++, \
	 *(T *)(void *)(uintptr_t)(at) = (T)(value))
#define WORK(m, n)	       ((void)((m)->work += (n)))
#define DECIDE(m, real, model) ((void)(m), (void)sizeof(model), (real))
#define MODEL(m, statement)    ((void)(m), (void)(statement))

u64 memory_map(struct memory *m, u64 bytes);
void *memory_remember(struct memory *m, u64 bytes);
