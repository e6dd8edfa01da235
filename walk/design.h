/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One translation scheme. A design is one file in walk/design/ that defines a
 * const struct design, and a line in walk/designs.c. doc/walk.md walks through
 * a complete one.
 *
 * The core calls start() once per row and core of the modelled machine, then
 * walk() for each miss of the STLB, and the optional functions as the trace
 * goes on. A design reads page-table entries by mmu_ref() (walk/mmu.h), which
 * sends them through the caches and counts them; what it keeps (PWCs, range
 * registers, hash-table caches) is its own, made of struct assoc
 * (walk/assoc.h), so that no two designs share a structure. It asks
 * walk/space.h where tables and pages are and never keeps its own idea of it.
 */
#pragma once

#include "lib/err.h"
#include "walk/addr.h"
#include "walk/walk.h"

struct mmu;
struct space_change;

struct design {
	const char *name;
	const char *summary;	   /* one line for --help and tables */
	const char *paper;	   /* where it was published, and the section */
	const char *refused[ENVS]; /* why not in that environment, or NULL */

	/* The references of a walk, in the order of the longest one, for the
	 * anatomy: "gL4", "hL4(gL3)" ... per environment; ended by NULL. */
	const char *const *steps[ENVS];

	/* Allocates m->design_state by mmu_alloc(); NULL = nothing to do. */
	int (*start)(struct mmu *m, struct err *err);

	/* Translates @va, whose page is mapped; returns the cycles until the
	 * TLB can be filled. References that depend on each other add up, of
	 * those made at once the longest counts. */
	u32 (*walk)(struct mmu *m, va_t va);

	/* Some accesses before walk(), for speed only: may call mmu_ahead()
	 * for what the walk will probably read. Changes nothing in the model.
	 * NULL = nothing. */
	void (*ahead)(struct mmu *m, va_t va);

	/* The OS or a hypervisor changed a mapping or a table: what that costs
	 * (exits of shadow paging, TEA migration) and what must be
	 * invalidated. NULL = nothing. */
	void (*changed)(struct mmu *m, const struct space_change *c);

	/* Another address space runs on this core; keys tell them apart, so
	 * only structures without ASIDs have to be emptied. NULL = nothing. */
	void (*switched)(struct mmu *m, u16 process);
};
