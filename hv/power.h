/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of L1: before it switches the machine off, L0 shows its counters.
 */
#pragma once

#include "lib/acpi.h"

/* Watches the port by which ACPI puts the machine to sleep. Without such a
 * port (no FADT) there are no counters at the end, and that is all. */
void power_init(const struct acpi *acpi);

/* Prints the counters, of all CPUs together, and whether they add up. */
void power_report(void);
