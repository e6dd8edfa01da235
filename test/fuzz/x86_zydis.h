/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds lib/x86dec against Zydis, which decodes all of x86. Used by the fuzz
 * target and by the unit test.
 */
#pragma once

#include "lib/x86dec.h"

/*
 * Decodes the @n bytes at @bytes with both. Returns NULL if they agree, or
 * what differs. They disagree if ours accepts what Zydis refuses, if a field
 * differs, or if ours refuses an instruction that the subset contains.
 */
const char *x86_difference(const u8 *bytes, size_t n, enum x86_mode mode);
