/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC of the CPU that calls, in the mode that L1 has it in. It is
 * L1's: L0 reads it, sends by it and leaves it as it was.
 */
#pragma once

#include "lib/apic.h"
#include "lib/types.h"

bool lapic_is_x2apic(void);
u32 lapic_id(void);

/* Registers but the ICR, by their offset. */
u32 lapic_read(u32 reg);
void lapic_write(u32 reg, u32 value);

/* Sends @command (ICR_...) to the CPU with APIC ID @dest. */
void lapic_send(u32 dest, u32 command);

/* The state after an INIT (APM vol. 2, 16.3.1), as far as registers go. */
void lapic_reset(void);
