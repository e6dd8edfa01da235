/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DMT fetcher (ASPLOS'24, sections 4.1 and 4.6): registers that hold TEAs
 * beside the unchanged x86 walker. An STLB miss whose address no register
 * covers is walked by radix, with the page-walk caches of that walker; the
 * fetcher itself uses none and fills none.
 *
 * A VMA with pages of several sizes has a TEA and a register for each: all are
 * read at once, one entry is valid, and the slowest read counts.
 *
 * Used by dmt and pvdmt, which differ in what one read takes.
 */
#pragma once

#include "walk/mmu.h"

#define FETCH_STEPS 3 /* references of the longest fetch */

struct fetcher {
	void *radix;	    /* design_radix's state */
	enum tea_home home; /* of the guests' TEAs */
	unsigned step;	    /* number of the first step after radix's */
};

/* Starts the walker, and the OS's use of @registers a set (0: none). */
int fetcher_start(struct mmu *m, enum tea_home home, size_t registers,
		  struct err *err);

/* Reads the entry of @process's address @at in @t: two references, or one.
 * False if the hardware refuses to. */
typedef bool fetch_read(struct mmu *m, const struct tea *t, u64 at, u16 process,
			u32 *cycles);

/* Asks all registers of dimension 0 that cover @va; *@cycles is what that
 * takes. False if no entry is valid. */
bool fetcher_try(struct mmu *m, va_t va, fetch_read *read, u32 *cycles);

/* The walk of x86. */
u32 fetcher_fall_back(struct mmu *m, va_t va);

/* Of struct design: the entries that a fetch will read. */
void fetcher_ahead(struct mmu *m, va_t va);

/* Of struct design: what OS and hypervisor do for TEAs, and the x86 walker's
 * own. */
void fetcher_changed(struct mmu *m, const struct space_change *c);
void fetcher_switched(struct mmu *m, u16 process);
