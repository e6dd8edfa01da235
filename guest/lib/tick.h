/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the timer tick of a lower level out of a short measurement.
 *
 * tick_align() spins on RDTSC. Where two reads lie far apart, something else
 * ran in between; three such gaps at equal distances are taken for the tick.
 * It returns right behind the third, when the next one is a whole period
 * away (4 ms at 250 Hz: 4 million instructions under -icount shift=0).
 * What follows at once and is shorter has no tick in it.
 *
 * It gives up after a bounded number of turns, many periods long; on a bare
 * CPU, where nothing ever interrupts, that is its only end. With two levels
 * beneath, their two ticks interleave and a window is seldom long enough for
 * either: repeat there, and take the minimum.
 */
#pragma once

#include "lib/types.h"

/* Returns whether it found a tick. */
bool tick_align(void);
