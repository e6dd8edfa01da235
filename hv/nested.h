/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SVM for L1, as the core sees it: hv/nested implements this, and
 * hv/nested_none.c does for an L0 that is linked without. L1 finds SVM in
 * CPUID, switches it on by EFER.SVME and runs guests of its own by VMRUN. While
 * one runs, v->level is 2 and v->backend is the merged VMCB.
 */
#pragma once

#include "hv/account.h"
#include "hv/run.h"
#include "lib/cpu.h"
#include "lib/phys.h"

/* Offers L1 those of the features in @mask (EDX of CPUID 0x8000000a) that there
 * are; 0: no SVM. @shake: a test, hv/nested/shake.c; 0: none. Once, before any
 * guest runs. */
void nested_init(u32 mask, u32 shake);

/* Gives @v what it needs. Once on every CPU. */
void nested_start(struct vcpu *v);

bool nested_is_offered(void);

/* CPUID 0x8000000a, as L1 sees it. */
void nested_cpuid(struct cpuid *r);

/* The MSRs of SVM. False: #GP. */
bool nested_read_vm_cr(struct vcpu *v, u64 *value);
bool nested_write_vm_cr(struct vcpu *v, u32 msr, u64 value);
bool nested_read_hsave(struct vcpu *v, u64 *value);
bool nested_write_hsave(struct vcpu *v, u32 msr, u64 value);

/* MSRs that L1's guest has of its own, where it exits and L1 leaves it. */
bool nested_read_tsc(struct vcpu *v, u64 *value);
bool nested_read_pat(struct vcpu *v, u64 *value);
bool nested_write_pat(struct vcpu *v, u32 msr, u64 value);

/* SVM instructions of L1, and of its guest if L1 does not intercept them. */
handler_fn nested_vmrun, nested_vmload, nested_vmsave, nested_stgi, nested_clgi,
	nested_invlpga;

/* An exit of L1's guest: L1's, handled here, or NOT_MINE. */
handler_fn nested_exit;

/*
 * The same for the backend, in the common case only, while RIP, RSP, RAX and
 * RFLAGS are in its blocks. quick_vmrun: L1's; the caller counts
 * it, and ends L1's instruction. quick_exit: of L1's guest, which interrupted
 * no event; counted. False: nothing has happened. v->backend may be another
 * block then.
 */
bool nested_quick_vmrun(struct vcpu *v);
bool nested_quick_exit(struct vcpu *v, enum exit_slot slot);

/* If L1 intercepts such an event (EXIT_nmi, EXIT_init, EXIT_shutdown) in its
 * guest, which runs: L1 has the exit and the event stays pending. */
bool nested_take(struct vcpu *v, enum exit_slot slot);

/* The same of an exception that L0 finds; its error code, if any, is 0. */
bool nested_take_fault(struct vcpu *v, u8 vector);

/* L1's guest, if one runs, is no more, nor is what @v knows of SVM. */
void nested_abandon(struct vcpu *v);

/* All translations of this CPU have gone: find the tables anew. */
void nested_flush(struct vcpu *v);

/* What has been counted: on @v's CPU, and of NPT02, which is common to all. All
 * is 0 where there is no SVM. Any CPU may ask. */
struct nested_tables {
	u64 fills, flushes, revalidated, evictions;
	u64 pages, free_pages;
};
void nested_read_counts(const struct vcpu *v, struct nested_counts *to);
void nested_read_tables(struct nested_tables *to);

/* The memory that a guest at level 2 sees. */
const struct phys *nested_memory(const struct vcpu *v);
