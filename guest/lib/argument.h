/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the command line that a payload cannot do without understanding. */
#pragma once

#include "lib/types.h"

/* The number of key=NUMBER, 0 if the key is missing. One that is no number ends
 * the payload with EXIT_USAGE and a line that names the key. */
u64 argument(const char *cmdline, const char *key);
