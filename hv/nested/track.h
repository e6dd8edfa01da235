/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether L1 has written to a page of NPT12: the dirty bit of NPT01's entry for
 * it, which the CPU sets. For that the page has an entry of its own: what maps
 * it by a larger page is split, with pages of pool.h, until track_reset().
 *
 * Entries are dirty when tracking begins. Callers hold the lock of shadow.c.
 */
#pragma once

#include "hv/nested/pool.h"

/* After pool_init(). */
void track_init(void);

/* Begins to follow the page of @t->source, plain memory of L1. False: there
 * are no pages to split NPT01 with. */
bool track_start(struct shadow_table *t);
void track_stop(struct shadow_table *t);

/* Whether L1 has written to any page since track_collect(). This is what a
 * flush costs if it has not. */
bool track_is_dirty(void);

/*
 * The tables whose page L1 has written to, chained by ->collected. Their pages
 * are clean from now on: what is written until this returns can be read then,
 * what is written later makes them dirty.
 */
struct shadow_table *track_collect(void);

/* Ends it for all, and joins what was split. */
void track_reset(void);

/* Pages that it has from the pool. */
size_t track_pages(void);
