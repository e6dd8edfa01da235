/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hypercalls of nestbox.elf to its guest L1, from any privilege level: VMMCALL
 * with the number in RAX. Arguments and results are in registers only; a call
 * changes RAX and the registers named here, no memory, and never faults.
 *
 *	VERSION   RAX = major << 16 | minor
 *	FEATURES  RAX = HYPERCALL_HAS_..., RBX = CPUs, RCX = levels, RDX =
 *	          slots, RSI = exits that a ring keeps
 *	SEAL      RAX = 0, or 1 if L0's text changed; RBX = its checksum at the
 *	          start, RCX = now; L0's memory is from RDX to RSI, physical
 *	COUNT     of CPU RDX, level RSI, slot RDI, handler R8:
 *	          RAX = 0, RBX = exits
 *	SWITCHES  of CPU RDX: RAX = 0, RBX = world switches, RCX = exits ever
 *	RING      of CPU RDX, RSI exits back from the newest, which on this CPU
 *	          is the call itself: RAX = 0, RBX = slot, RCX = code, RDX and
 *	          RSI = infos, RDI = RIP, R8 = level | handler << 8
 *	NESTED    of CPU RDX: RAX = 0, RBX = VMRUNs, RCX = exits of L2
 *	          reflected to L1, RDX = ends of L2 made up, RSI = level now;
 *	          RBX = RCX + RDX, and 1 more while the level is 2
 *	SHADOW    RAX = 0, of NPT02: RBX = fills, RCX = flushes, RDX = tables
 *	          revalidated, RSI = evictions, RDI = free pages, R8 = all pages
 *
 * All but the first two want the token of the ACPI table NBOX in RBX and RCX;
 * only 64-bit code can give it. Levels are 1 and 2, slots those of lib/exit.h,
 * handlers 0 (L0) and 1 (L1). RAX is one of the errors, and nothing else
 * changes, if the token is wrong or an index is out of range.
 */
#pragma once

#include "lib/acpi.h"

/* CPUID: this leaf is EAX itself and "nestboxnestb" in EBX, ECX, EDX. */
#define LEAF_NESTBOX 0x40000200u
#define SIGN_EBX     0x7473656eu
#define SIGN_ECX     0x6e786f62u
#define SIGN_EDX     0x62747365u

#define HYPERCALL_BASE 0x6e620000u

enum hypercall {
	HYPERCALL_VERSION = HYPERCALL_BASE,
	HYPERCALL_FEATURES,
	HYPERCALL_SEAL,
	HYPERCALL_COUNT,
	HYPERCALL_SWITCHES,
	HYPERCALL_RING,
	HYPERCALL_NESTED,
	HYPERCALL_SHADOW,
	HYPERCALL_END,
};

#define HYPERCALL_HAS_SEAL    0x1u /* SEAL */
#define HYPERCALL_HAS_ACCOUNT 0x2u /* COUNT, SWITCHES, RING */
#define HYPERCALL_HAS_TABLE   0x4u /* the ACPI table could be published */

#define HYPERCALL_HAS_NESTED 0x8u /* NESTED, SHADOW count: L1 has SVM */

/* Errors are Linux's numbers, as in its kvm_para.h: -KVM_ENOSYS is what KVM
 * answers to a number that it does not know. */
#define HYPERCALL_UNKNOWN ((u64)-1000)
#define HYPERCALL_DENIED  ((u64)-1)
#define HYPERCALL_RANGE	  ((u64)-22)

/* The ACPI table. */
#define NBOX_NAME "NBOX"

struct nbox {
	struct acpi_header header;
	u32 base; /* HYPERCALL_BASE */
	u64 token[2];
} __attribute__((packed));
ASSERT_OFFSET(nbox, token, 40);
ASSERT_SIZE(nbox, 56);
