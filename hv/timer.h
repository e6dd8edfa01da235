/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's own timer: a comparator of the HPET (IA-PC HPET specification 1.0a)
 * whose message is an NMI, so that L1's interrupts and local APIC stay L1's. It
 * ticks on the boot CPU.
 *
 * L1 does not get an HPET that sends messages: it would write them into L0's
 * memory, if L1 told it to, past any IOMMU. It is missing in L1's ACPI tables,
 * and nothing is where it was.
 */
#pragma once

#include "lib/acpi.h"

/* Takes the HPET and starts it, if @ms is not 0, every @ms milliseconds. After
 * space_build(), before tables_init(). Negative: *why it cannot be started. */
int timer_init(const struct acpi *acpi, u32 ms, const char **why);

/* Whether it has ticked since the last call. On the boot CPU; false if it was
 * never started. */
bool timer_has_ticked(void);

/* Ticks taken. */
u64 timer_ticks(void);
