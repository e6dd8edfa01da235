/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction at which a guest has exited. */
#pragma once

#include "hv/vmm.h"
#include "lib/x86dec.h"

struct guest_view;
struct phys;

/* What the guest that runs sees as its physical memory. */
const struct phys *insn_memory(const struct vcpu *v);

/* Fetches and decodes it. False: not in memory or not known to lib/x86dec. */
bool insn_fetch(struct vcpu *v, const struct guest_view *g,
		struct x86_insn *insn);

/* The bytes there, at most 15 and none behind what is mapped: how many. */
unsigned insn_bytes(struct vcpu *v, const struct guest_view *g,
		    u8 bytes[X86_INSN_MAX]);

/* Where the one behind it begins. @len: its length, if it is known, else 0.
 * 0: it is not there. */
u64 insn_next(struct vcpu *v, const struct exit *exit, unsigned len);

bool insn_is_hlt(struct vcpu *v);

/* The vector of INT3 or INTO; any other one, INTn too: 0. */
u8 insn_trap(struct vcpu *v);

/* Goes on behind it: RIP, interrupt shadow, single step. Should it have
 * vanished meanwhile (another CPU overwrote it), the guest gets #UD. */
void insn_done(struct vcpu *v, const struct exit *exit);
