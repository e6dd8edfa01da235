/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What L0 keeps of L1's SVM on one CPU, for hv/nested alone. The names are
 * KVM's: vmcb12 is L1's block, in L1's memory; vmcb01 runs L1; vmcb02, merged
 * of both, runs L1's guest. vmcb12 is read once, at VMRUN, and written once, at
 * the #VMEXIT that L1 sees.
 */
#pragma once

#include "hv/nested.h"
#include "hv/nested/check.h"
#include "hv/nested/npt12.h"
#include "lib/vmcb.h"

#define NESTED_ASIDS 64 /* at most, that L1 gets */
#define IOPM_PAGES   3
#define PAIRS	     4 /* of a vmcb12 and its vmcb02, that are kept */

/* Where the tables of a guest of L1's come from. */
struct tables {
	u64 ncr3, cr4, efer; /* vmcb12's, and L1's own */
	struct npt12 npt;
	u64 root;	/* of NPT02 ... */
	u64 generation; /* ... and when it was that */
};

/* A block of L1's and what L0 made of it. If L1 says by clean bits that it has
 * not changed the block since its last #VMEXIT, vmcb02 stands. */
struct pair {
	u64 vmcb12;	     /* its L1-physical address */
	bool valid;	     /* vmcb02 is as VMRUN and #VMEXIT left it */
	struct vmcb *copy12; /* what VMRUN read */
	struct vmcb *vmcb02;
	u64 *msrpm; /* vmcb02's */
	bool nested_paging;
	bool iret_exits, debug_exits; /* as L1 wants */
	struct tables tables;
};

struct nested {
	struct vmcb *vmcb01, *vmcb02;
	struct vmcb *copy12;
	struct pair *pair; /* of the guest that runs, or ran last */
	struct pair pairs[PAIRS];
	u64 vm_cr, hsave;	/* MSRs */
	u64 asids;		/* bit n: NPT02 was new enough for ASID n ... */
	u64 root[NESTED_ASIDS]; /* ... with this nCR3 of L1's */
	enum gif gif01;		/* L1's, before VMRUN */
	bool gif;		/* V_GIF of vmcb12, where L0 keeps it */
	u32 kept;	    /* int_ctl of vmcb02 while its guest's GIF is off */
	u64 soft_rip;	    /* of an INTn that is injected: where it stands */
	struct phys memory; /* of L1's guest */
	u8 *iopm;	    /* L0's and L1's, for one entry */
	bool opened;	    /* exits are off that L0 needs, for one entry */
	struct check_limits limits;
	u32 shakes, until_shake;     /* at every n-th exit; 0: never */
	struct nested_state *shaken; /* two of them: hv/nested/shake.c */
	/* How often L1 executed VMRUN, an exit of its guest went to L1, and the
	 * guest ended without one, by L0 or because VMRUN was refused: vmruns =
	 * reflected + made_up (+ 1 in level 2); account_check() compares. */
	u64 vmruns, reflected, made_up;
};

/* What L1 gets of SVM: EDX of CPUID 0x8000000a. */
#define SVM_NPT	   0x00001u
#define SVM_NRIP   0x00008u
#define SVM_CLEAN  0x00020u
#define SVM_FLUSH  0x00040u /* TLB_CONTROL 3 and 7 */
#define SVM_ASSIST 0x00080u
#define SVM_VLS	   0x08000u
#define SVM_VGIF   0x10000u

/* Bits of VM_CR, of which INIT's redirection reads 0. */
#define VM_CR_KNOWN 0x1full
#define VM_CR_KEPT  (VM_CR_KNOWN & ~(u64)VM_CR_R_INIT)

extern struct nested_offer {
	u32 features; /* to L1 */
	u32 cpu;      /* of this CPU */
	u32 int_ctl;  /* bits of vmcb12's that reach the CPU */
	u64 iopm;     /* of vmcb02 */
	unsigned phys_bits;
	struct check_limits limits;
} offer;

static inline bool offers(u32 feature)
{
	return offer.features & feature;
}

static inline bool cpu_has(u32 feature)
{
	return offer.cpu & feature;
}

/* L1's nested tables, if its guest has such. */
static inline const struct npt12 *npt12_of(const struct nested *n)
{
	return &n->pair->tables.npt;
}

/* The memory of the guest of @v's L1. */
struct phys guest_memory(struct vcpu *v);
