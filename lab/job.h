/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job: a tar archive that every level of a stack gets as RAM. Its members
 * are described in lab/level/init, which reads it. Results come back as a tar
 * archive that the innermost level writes into another piece of RAM. A guest of
 * --arch i386 finds its part in its initramfs.
 *
 * Both live in memfds: nothing is left on a disk, however a run ends.
 */
#pragma once

#include "lab/machine.h"

#define OUT_SIZE (256L << 20) /* most that --get can fetch in one run */

/* Writes the archive for @s to @w->job and sets @w->job_size. */
int job_write(struct wires *w, const struct spec *s, const struct cache *c,
	      struct err *err);

/* Extracts what the guest sent in @w->out to where --get wants it. */
int job_fetch(const struct wires *w, const struct spec *s, struct err *err);

/* Of the payload's module @i, "FILE[ WORDS]", the FILE and the archive's member
 * that it becomes, which levels see in /job. Allocated for the caller. */
char *job_module_file(const struct spec *s, size_t i);
char *job_module_member(const struct spec *s, size_t i);

/* Splits "FROM[:TO]"; without TO the last component of FROM. Both are
 * allocated for the caller. */
void job_split_pair(const char *pair, char **from, char **to);
