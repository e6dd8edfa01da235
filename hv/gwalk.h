/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's view of its memory: walks its page tables in software, in every
 * paging mode, and fetches the instruction that it executes. Pure.
 *
 * Rights are not checked and accessed bits not set: the CPU has translated the
 * same address just before, or the caller does not care.
 */
#pragma once

#include "lib/phys.h"
#include "lib/x86dec.h"

/* Of the guest that just left; vmm_ops.view() fills it in. */
struct guest_view {
	u64 cr0, cr3, cr4, efer;
	enum x86_mode mode; /* of its code segment */
	u64 seg_base[6];    /* by enum x86_seg */
};

/* Translates @va to *@pa. False: not mapped, or a table is not in memory. */
bool gwalk(const struct phys *p, const struct guest_view *g, u64 va, u64 *pa);

/* Reads @n bytes at linear address @va; returns how many could be read. */
size_t gwalk_read(const struct phys *p, const struct guest_view *g, u64 va,
		  void *to, size_t n);
