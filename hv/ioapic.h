/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's I/O APICs. They are L1's, but no input may send an INIT or an
 * SMI: writes to their pages exit, and such an entry is masked. Reads do not
 * exit.
 */
#pragma once

#include "lib/acpi.h"

/* Traps those of @list. Before any guest runs. */
void ioapic_init(const struct acpi_cpus *list);
