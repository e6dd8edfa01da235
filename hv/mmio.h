/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical addresses at which L1 meets L0 instead of a device: the table of
 * such ranges, and the emulation of an access to one. A range is trapped in
 * NPT01 by hv/space.c; what L1 can read there without an exit is its choice.
 */
#pragma once

#include "hv/vmm.h"

struct mmio_range {
	const char *name;
	u64 start, end;
	u64 (*read)(struct vcpu *v, const struct mmio_range *r, u64 offset,
		    unsigned bytes);
	void (*write)(struct vcpu *v, const struct mmio_range *r, u64 offset,
		      unsigned bytes, u64 value);
};

/* At boot only. Kept: the caller's is copied. Ranges do not overlap. */
void mmio_add(const struct mmio_range *range);

/* The range with index @i, or NULL. */
const struct mmio_range *mmio_get(size_t i);

/* Whether [@start, @end) touches a range. */
bool mmio_is_trapped(u64 start, u64 end);

enum mmio_result {
	MMIO_DONE,    /* the instruction is done */
	MMIO_AGAIN,   /* it goes on: RIP stays */
	MMIO_UNKNOWN, /* no range there, or no such instruction known */
};

/* Carries out the access of a nested page fault at @pa. */
enum mmio_result mmio_access(struct vcpu *v, u64 pa, bool writes);

/* For memory that is not there: reads give ones, writes vanish. */
u64 mmio_read_ones(struct vcpu *v, const struct mmio_range *r, u64 offset,
		   unsigned bytes);
void mmio_write_nothing(struct vcpu *v, const struct mmio_range *r, u64 offset,
			unsigned bytes, u64 value);
