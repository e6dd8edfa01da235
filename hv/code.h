/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the code is that a guest executes. Almost every exit asks, and L2's
 * answer is a walk of 24 references; so the last walks are kept, by page, and
 * used again if each entry that they read still reads the same.
 *
 * Only for long mode with four levels. The caller looks elsewhere otherwise.
 */
#pragma once

#include "hv/gwalk.h"
#include "hv/vmm.h"

/* Who changes what a v->map leads to, changes this. */
extern volatile u64 code_version;

/* The page of linear address @va, until the guest next runs. NULL: it is not
 * mapped, or not by such tables. */
const struct code_page *code_page(struct vcpu *v, const struct guest_view *g,
				  u64 va);

/* Whether @p is the page of @va in a guest with these tables; if not, it is
 * made so. False: as above. */
bool code_find(const struct vcpu *v, struct code_page *p, u64 cr3, u64 va);

/* The byte at linear address @va and those behind it up to the page's end.
 * NULL: as above. */
const u8 *code_at(struct vcpu *v, const struct guest_view *g, u64 va);
