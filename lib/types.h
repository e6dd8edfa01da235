/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed-width integer names used by code that runs with and without libc,
 * and assertions on the layout of what hardware reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type " size")
#define ASSERT_OFFSET(type, field, at) \
	_Static_assert(offsetof(struct type, field) == (at), #type "." #field)
