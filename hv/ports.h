/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O ports that L0 looks at while L1 uses them. The access itself is made as
 * L1 asked; a watcher only gets to know of it first.
 */
#pragma once

#include "hv/vmm.h"

typedef void port_watcher(struct vcpu *v, u32 value);

/* Calls @watcher before each write to @port. At boot only. */
void ports_watch(u16 port, port_watcher *watcher);

/* Carries out the access of an exit. */
void ports_access(struct vcpu *v, const struct exit *exit);
