/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the instructions are that exited before, for a CPU that does not
 * tell. One is known again by where it is and by what it reads: the entries of
 * page tables that lead there, and its own bytes. Kept are those of 64-bit code
 * with at most four bytes; every vCPU has its own.
 */
#pragma once

#include "hv/code.h"
#include "hv/vmm.h"
#include "lib/vmcb.h"
#include "lib/x86.h"

#define MEMOS	     32
#define MEMO_MAX_LEN 4

struct memo {
	u64 rip;
	struct code_page page;
	const u8 *at;
	u32 bytes;
	u8 len;
};

/* Memory for it, of @v. Once. */
void memo_start(struct vcpu *v);

static inline struct memo *memo_of(const struct vcpu *v, u64 rip)
{
	return &v->memo[(rip >> 2 ^ v->level) % MEMOS];
}

static inline u32 memo_bytes(const u8 *at)
{
	u32 bytes;

	__builtin_memcpy(&bytes, at, sizeof(bytes));
	return bytes;
}

static inline bool memo_is_64bit(const struct vmcb_save *s)
{
	return s->efer & EFER_LMA && s->cs.attributes & VMCB_SEGMENT_LONG;
}

/* Behind the instruction at @rip, at which @v stopped; 0: it is not known.
 * Inline: on a CPU without NRIP save most exits ask. */
static inline u64 memo_next(const struct vcpu *v, u64 rip)
{
	const struct vmcb_save *s = &((struct vmcb *)v->backend)->save;
	const struct memo *m = memo_of(v, rip);
	const struct code_page *p = &m->page;

	if (m->rip != rip || p->cr3 != s->cr3 || p->map != v->map ||
	    p->version != code_version || !memo_is_64bit(s) ||
	    *p->entry[3] != p->value[3] || *p->entry[2] != p->value[2] ||
	    *p->entry[1] != p->value[1] || *p->entry[0] != p->value[0] ||
	    memo_bytes(m->at) != m->bytes)
		return 0;
	return rip + m->len;
}

/* The one at v->regs.rip ends at @next. */
void memo_learn(struct vcpu *v, u64 next);
