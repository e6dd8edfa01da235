/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of svm_random.c. A random VMCB runs whatever it says, so what L2
 * can reach is confined by how the payload stands around it:
 *
 *   - the world, 2 MiB at WORLD, is all that L2 can write: through any of its
 *     addresses by L1's nested tables, without these by page tables that L2
 *     cannot change. The first pages are code, and not to be written either.
 *   - code is instructions that harm nobody, also when begun in the middle.
 *   - L2 comes back: where an interrupt of L1's timer is not an exit for sure,
 *     everything else is.
 *
 * One CPU.
 */
#pragma once

#include "guest/lib/rnd.h"
#include "guest/test/svm.h"

#define WORLD	    SVM_SCRATCH
#define WORLD_PAGES 512u
#define WORLD_CODE  32u /* of these */
#define WORLD_SIZE  (WORLD_PAGES * (u64)PAGE_SIZE)

/* How L2 has its page tables. */
enum paging { PAGING_32, PAGING_PAE, PAGING_LONG, PAGINGS };

/* Once. L0's memory is known by then. */
void world_init(void);

/* Code and data anew. */
void world_fill(void);

/* Whether L2 has changed what it cannot. */
bool world_is_intact(void);

/* Page tables that map every address to the world: L1's, which L2 cannot
 * change, and those in the world, for L2 with nested paging. */
u64 world_cr3(enum paging paging);
u64 world_own_cr3(enum paging paging);

/* Where L2 has an IDT with a gate for each vector. */
u64 world_idt(void);

/* A root for nCR3: the whole one, damaged ones, and such as are none. */
u64 world_root(void);

/* New damage for world_root(). */
void world_damage(void);

/* An address in the world's code, at an instruction or not; in its data. */
u64 rnd_code(void);
u64 rnd_data(void);

/* A number as VMCBs do not like them: addresses, limits, single bits, any. */
u64 rnd_value(void);

/* A page address for a map or a root: L1's maps, the world, L0's memory, the
 * ends of memory and beyond. */
u64 rnd_page(void);

/* What of @v VMRUN has to do: */
enum verdict { MAY_RUN, MUST_RUN, MUST_REFUSE };

/* Makes *@v a legal block, a damaged or a random one. */
enum verdict block_make(struct vmcb *v);

/* Changes what does not make L2 less confined, whatever clean bits say. */
void block_change(struct vmcb *v);

/* An MSR that L2 may write. */
u32 rnd_msr(void);
