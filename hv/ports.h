/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O ports at which L1 meets L0: the table of such ranges, and the access of
 * an exit. All other ports are the machine's, for L1 without exits.
 */
#pragma once

#include "hv/vmm.h"

struct port_range {
	const char *name;
	u16 first, last;
	u32 (*read)(struct vcpu *v, u16 port, unsigned bytes);
	void (*write)(struct vcpu *v, u16 port, unsigned bytes, u32 value);
};

/* At boot only; copied. Ranges do not overlap. */
void ports_add(const struct port_range *range);

/* Carries out the access of an exit. One that begins before a range and reaches
 * into it finds nothing there; one of L1's guest that is at no range, the
 * machine's port. False: a string of a port, which is not known how to do. */
bool ports_access(struct vcpu *v, const struct exit *exit);

/* Whether the access of an exit is at a range, or reaches into one. */
bool ports_are_trapped(const struct exit *exit);

/* The machine's port; @bytes is 1, 2 or 4. */
u32 port_in(struct vcpu *v, u16 port, unsigned bytes);
void port_out(struct vcpu *v, u16 port, unsigned bytes, u32 value);

/* For a port that is not there, or may not be written. */
u32 port_in_ones(struct vcpu *v, u16 port, unsigned bytes);
void port_out_nothing(struct vcpu *v, u16 port, unsigned bytes, u32 value);
