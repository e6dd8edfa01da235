/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as people write them: "4096", "64m", "1.5g", "128g". */
#pragma once

#include "lib/types.h"

/* False: it is none, or not below 2^56. */
bool size_parse(const char *text, u64 *bytes);
