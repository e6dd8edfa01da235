/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether VMRUN takes a VMCB: the consistency checks of AMD APM vol. 2, 15.5.1,
 * with those that other sections add (15.10, 15.11, 15.20, 15.25.3, 15.25.4).
 * L0 calls this on its private copy of vmcb12 when L1 executes VMRUN; a VMCB
 * that breaks a rule ends that VMRUN with VMEXIT_INVALID. Pure.
 *
 * A check returns NULL, or the broken rule in words. Each of the groups reads
 * fields that belong together under the VMCB clean bits (15.15), so that a
 * caller can leave out one whose fields are clean, as long as the limits have
 * not changed either. EVENTINJ has no clean bit.
 *
 * Not here, because L1 is not offered it: virtual NMIs without their intercept
 * (15.21.10), supervisor shadow stacks (15.25.14), AVIC, SEV. U_CET is in no
 * VMCB: whoever offers CR4.CET checks it against RFLAGS.VM.
 *
 * Legal, though one may not expect it: CR0.PG without CR0.PE (15.19), EFER.LMA
 * that contradicts LME and PG (ignored), any CR3 outside long mode, any RIP,
 * RFLAGS and CPL, any segment (but for CS.L with CS.D), any TLB_CONTROL,
 * NP_ENABLE on a CPU without nested paging (ignored).
 */
#pragma once

#include "lib/phys.h"
#include "lib/vmcb.h"
#include "lib/x86.h"

/* Of the eight types of a PAT, all at once. */
#define PAT_ABOVE_7 0xf8f8f8f8f8f8f8f8ull
#define PAT_BIT_1   0x0202020202020202ull

/* What L1's CPU has, as its CPUID tells. */
struct check_limits {
	u64 phys_mask;	    /* all address bits that exist: 2^n - 1 */
	u64 cr4, efer;	    /* all bits that exist; SVME among them */
	u32 asids;	    /* 0 to asids - 1 exist, 0 is L1's */
	bool nested_paging; /* exists */
	bool paging;	    /* L1's CR0.PG, as it executes VMRUN */
	bool marks_pdpes;   /* sets their accessed bit, which is reserved */
};

/* All that follows but check_pdpes(). */
const char *check_vmcb(const struct vmcb *vmcb12, const struct check_limits *l);

/* Clean bits I, IOPM, ASID and NP. */
const char *check_control(const struct vmcb *vmcb12,
			  const struct check_limits *l);

/* Clean bits CRx, DRx, SEG and CET. */
const char *check_save(const struct vmcb *vmcb12, const struct check_limits *l);

const char *check_event(const struct vmcb *vmcb12,
			const struct check_limits *l);

/* Without nested paging VMRUN loads the four PDPEs of a guest with PAE paging,
 * from L1's memory (15.5.1, "Loading Guest State"). */
const char *check_pdpes(const struct vmcb *vmcb12, const struct check_limits *l,
			const struct phys *l1);

/* Whether @pat has a type that does not exist: above 7, or 2 or 3, for which
 * bit 1 is set without bit 2 (7.8.1). */
static inline bool has_bad_type(u64 pat)
{
	return (pat & PAT_ABOVE_7) | ((pat & PAT_BIT_1) << 1 & ~pat);
}

/* What VMRUN makes of a segment's @base: its sign is the highest bit that
 * linear addresses of this CPU have. */
static inline u64 canonical(u64 base, const struct check_limits *l)
{
	unsigned unused = l->cr4 & CR4_LA57 ? 7 : 16;

	return (u64)((int64_t)(base << unused) >> unused);
}

/* Changes fields as VMRUN does that takes them: addresses of maps to those of
 * pages, bases to canonical ones. */
void canonicalize(struct vmcb *vmcb12, const struct check_limits *l);
