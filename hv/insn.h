/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction at which a guest has exited. */
#pragma once

#include "hv/vmm.h"
#include "lib/x86dec.h"

struct guest_view;

/* Fetches and decodes it. False: not in memory or not known to lib/x86dec. */
bool insn_fetch(const struct vcpu *v, const struct guest_view *g,
		struct x86_insn *insn);

/* Goes on behind it: RIP, interrupt shadow, single step. Should it have
 * vanished meanwhile (another CPU overwrote it), the guest gets #UD. */
void insn_done(struct vcpu *v, const struct exit *exit);
