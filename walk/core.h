/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's core: all that is hot. It is compiled once for each kind of
 * CPU (walk/walk.mk: avx512, avx2, portable) from the same sources, with
 * another folder of walk/isa/ first in the include path; of each build only the
 * entry, which gets the build's name, is visible. walk/walk.c chooses.
 */
#pragma once

#include "walk/walk.h"

/* walk_run() without its checks. spec->design is looked up by name in the
 * build's own walk_designs[]; one that is not there is taken as it is. */
typedef int walk_core_fn(const struct nbt_reader *r,
			 const struct walk_spec *spec,
			 const struct walk_progress *progress,
			 struct walk_stats *out, struct err *err);

walk_core_fn walk_core;	       /* as the sources define it, */
walk_core_fn walk_core_avx512; /* and its names once it is built */
walk_core_fn walk_core_avx2;
walk_core_fn walk_core_portable;
