/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/tick.h"

#include "lib/cpu.h"

/*
 * TSC ticks. A turn of the loop takes about ten instructions (tens of cycles
 * on a real CPU), a timer interrupt in a hypervisor some thousands; 1000 Hz
 * at 1 GHz is the shortest period that we expect.
 */
#define GAP	   1000
#define PERIOD_MIN 900000
#define MAX_TURNS  4000000

/* Two distances that differ by less than 1/TOLERANCE are equal. */
#define TOLERANCE 64

static bool is_equal(u64 a, u64 b)
{
	u64 difference = a > b ? a - b : b - a;

	return difference < a / TOLERANCE;
}

bool tick_align(void)
{
	u64 last = rdtsc(), gap = last, period = 0;

	for (unsigned turn = 0; turn < MAX_TURNS; turn++) {
		u64 now = rdtsc();
		u64 distance = last - gap; /* from gap to gap, at its start */

		if (now - last > GAP) {
			if (distance > PERIOD_MIN && is_equal(distance, period))
				return true;
			period = distance;
			gap = last;
		}
		last = now;
	}
	return false;
}
