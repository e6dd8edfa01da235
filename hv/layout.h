/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where L0 lies, shared by C, assembly and the linker script.
 *
 *   0xffff800000000000   all physical memory, one to one (DIRECT_MAP)
 *   0xffffffff80000000   L0's own image, its first 2 MiB (HV_BASE)
 *
 * A boot loader puts the image at HV_LOAD. L0 then copies itself to the block
 * of memory that it takes (hv/main.c); its virtual addresses stay the same.
 *
 * The image says it ends at HV_LOAD_END. QEMU puts one page of its own and then
 * the modules behind it: so the second page of the first one, where a vmlinux
 * of tools/vmlinux begins, is at 16 MiB, where Linux goes.
 */
#pragma once

#include "lib/x86.h"

#define HV_LOAD	    0x00e00000
#define HV_LOAD_END (LINUX_AT - 2 * PAGE_SIZE)
#define LINUX_AT    0x01000000
#define HV_BASE	    0xffffffff80000000
#define DIRECT_MAP  0xffff800000000000
#define IMAGE_MAX   LARGE_PAGE_SIZE /* one page table maps it */

#define SEL_CODE64 0x08
#define SEL_DATA   0x10
#define SEL_CODE32 0x18

#define GDT_CODE64 0x00af9b000000ffff
#define GDT_DATA   0x00cf93000000ffff
#define GDT_CODE32 0x00cf9b000000ffff

#define TRAMPOLINE 0x8000 /* where the other CPUs start; a page, lent */

#define STACK_SIZE 0x4000 /* of each CPU, a multiple of itself */
