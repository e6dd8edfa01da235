/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This library's own layout, shared by C and assembly: GDT selectors, and
 * where the pieces of a starting CPU lie. Only #defines live here.
 */
#pragma once

#include "lib/x86.h"

/* Selectors of the GDT in start.S. */
#define SEL_CODE64 0x08
#define SEL_DATA   0x10
#define SEL_CODE32 0x18
#define GDT_SIZE   0x20

#define IDENTITY_GIB 4 /* start.S maps that much one to one */

/*
 * Application processors: a SIPI names a page below 1 MiB. QEMU's multiboot
 * information lies at 0x9000, so the page before that one is free.
 */
#define TRAMPOLINE     0x8000
#define SMP_MAX_CPUS   32
#define STACK_SHIFT    13
#define STACK_SIZE     (1 << STACK_SHIFT)
#define BSP_STACK_SIZE 0x4000

/* What trap_try() returns if there was no exception. */
#define NO_TRAP -1
