/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svm_trip.S: code of L2 that goes through all modes of the CPU, and where its
 * copy and its page tables lie. Only #defines live here.
 */
#pragma once

#define TRIP_CODE   0x7000    /* the copy; entered in real mode, CS.base 0 */
#define TRIP_STAGES 8	      /* a CPUID in each */
#define TRIP_DATA   0x2003000 /* a byte for each stage, in modes that reach */
#define TRIP_STACK  0x2004000 /* its end */
#define TRIP_PD32   0x2005000 /* 32-bit paging: a page directory */
#define TRIP_PDPT   0x2006000 /* PAE */
#define TRIP_PML4   0x2007000 /* long mode */
#define TRIP_LOW    0x7ff0    /* for real mode: its two stages' bytes */
