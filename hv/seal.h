/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checksum of L0's text and constants, made once they are where they stay.
 * They never change: if they have, L0 is no longer what was started.
 */
#pragma once

#include "lib/types.h"

void seal_init(void);

u64 seal_start(void);
u64 seal_now(void);

/* Says whether both are the same; nothing before seal_init(). */
void seal_show(void);
