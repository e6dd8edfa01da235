/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers for payloads that try things at random. Everything follows
 * from the seed: the same seed gives the same. One CPU only.
 */
#pragma once

#include "lib/types.h"

/* First of all. */
void rnd_seed(u64 seed);

/* The next number; one below @n (not 0); one of odds true in @n. */
u64 rnd(void);
u64 rnd_below(u64 n);
bool rnd_once_in(u64 n);
