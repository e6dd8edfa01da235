/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who exited how often and who handled it, on one CPU. An exit is counted once:
 * in the dispatcher (hv/run.c), or where it is handled without (quick exits of
 * hv/svm and hv/nested). Pure.
 */
#pragma once

#include "hv/vmm.h"

#define ACCOUNT_LEVELS 2  /* exits come from L1 or from L2 */
#define ACCOUNT_RING   16 /* last exits kept */

enum handler { BY_L0, BY_L1, HANDLERS };

struct past_exit {
	struct exit exit;
	u64 rip;
	u8 level;
	u8 handler;
};

struct account {
	u64 count[ACCOUNT_LEVELS][EXIT_SLOTS][HANDLERS];
	struct past_exit ring[ACCOUNT_RING];
	u64 past; /* exits ever: world switches, each ends by one */
};

/* What hv/nested has counted on the same CPU. */
struct nested_counts {
	u64 vmruns;    /* of L1, that were taken or refused */
	u64 reflected; /* exits of its guests that went to L1 */
	u64 made_up;   /* ends of its guests that were no exits */
	unsigned level;
};

/* Inline, and without a copy of the whole, because every exit does it. */
static inline void account_exit(struct account *a, unsigned level,
				const struct exit *exit, u64 rip,
				enum handler handler)
{
	struct past_exit *p = &a->ring[a->past++ % ACCOUNT_RING];

	a->count[level - 1][exit->slot][handler]++;
	p->exit.slot = exit->slot;
	p->exit.code = exit->code;
	p->exit.info1 = exit->info1;
	p->exit.info2 = exit->info2;
	p->rip = rip;
	p->level = (u8)level;
	p->handler = (u8)handler;
}

/* Adds the counts of @a, not its ring. */
void account_add(struct account *sum, const struct account *a);

/* All exits of @level that @handler handled. */
u64 account_sum(const struct account *a, unsigned level, enum handler handler);

/* Whether the counts fit together: each world switch is in one place, each
 * exit of L2 that L1 handled was reflected, each VMRUN has ended or L2 runs.
 * NULL, or what is broken. */
const char *account_check(const struct account *a,
			  const struct nested_counts *n);

/* The exit @back from the newest one, which is 0; NULL: not kept. */
const struct past_exit *account_past(const struct account *a, u64 back);

/* Both print by @print, a line at a time. */
typedef void account_print(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
void account_dump(const struct account *a, account_print *print);
void account_dump_ring(const struct account *a, account_print *print);
