/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's command line for the machine of each level: the only place that
 * composes one. Level 0 is run by nestbox itself on the outer emulator, the
 * others by the Linux of the level below (lab/level/init). Pure.
 *
 * Serial ports: the machine of level k has one for each level from k up. Its
 * first port is its own console; the others carry the consoles of the levels
 * above, which L(k)'s QEMU connects to L(k)'s own ports. So every console
 * arrives at the outer emulator unmixed.
 */
#pragma once

#include "lab/cache.h"
#include "lab/spec.h"

/* What the outer machine is connected to, as open file descriptors. */
struct wires {
	int console[MAX_LEVEL + 1]; /* one file each; the shell's: a socket */
	int job, out;		    /* out = -1 if nothing comes back */
	long job_size, out_size;    /* bytes, multiples of 2 MiB */
	int qmp_in, qmp_out;
};

/* Composes the arguments, program name first, of the machine of @level. */
void machine_args(struct args *a, const struct spec *s, const struct cache *c,
		  const struct wires *w, int level);

/* The fewest bytes of memory that @level's machine can do with. */
long machine_min_mem(const struct spec *s, int level);

/* Memory that it gets by default, if the level above has @above bytes. */
long machine_default_mem(const struct spec *s, int level, long above);
