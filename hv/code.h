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

/* The byte at linear address @va and those behind it up to the page's end.
 * NULL: it is not mapped, or not by such tables. */
const u8 *code_at(struct vcpu *v, const struct guest_view *g, u64 va);
