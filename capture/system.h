/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `nestbox capture --system` and its plugin in the emulator share: memory
 * of a file that both map. The one fills in the first part before it starts the
 * emulator, the other the second; it is read once the emulator has ended.
 */
#pragma once

#include "capture/limits.h"
#include "lib/err.h"

struct system_capture {
	struct nbt_info info;
	struct capture_limits limits;
	char path[4096]; /* of the trace */

	bool begun;    /* a marker was executed */
	bool full;     /* ended by limits.limit */
	bool written;  /* under its name, with @accesses */
	bool failed;   /* not written: @err */
	u64 accesses;  /* recorded */
	u64 unknown;   /* not, since their physical address is not known */
	u32 processes; /* address spaces */
	struct err err;
};

/* Ends with the machine; doc/traces.md says what it records. */
#define SYSTEM_PLUGIN "nbtrace-system.so"
