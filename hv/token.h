/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret by which L1's root proves itself to hypercalls: 128 random bits,
 * drawn once at the start, published in an ACPI table (hv/tables.h).
 */
#pragma once

#include "lib/types.h"

/* Before L1 runs. Gives both halves. */
void token_draw(u64 token[2]);

/* Whether this is the token; false as long as there is none. */
bool token_is(u64 first, u64 second);
