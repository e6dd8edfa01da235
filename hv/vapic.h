/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1's local APIC. It is the CPU's own but for what L1 must not do with it:
 * move or reset the CPUs. Writes to the page of xAPIC exit and the rest of the
 * registers is written through; of x2APIC only the interrupt command register
 * exits. INIT, start-up and NMI commands become requests (hv/smp.h) and never
 * reach hardware; SMI commands are dropped; all other interrupts go as L1 sends
 * them. Local interrupts and those of the I/O APICs (hv/ioapic.h) may not be
 * INITs or SMIs either.
 */
#pragma once

#include "hv/vmm.h"

/* Traps the page. Before any guest runs. */
void vapic_init(void);

/* As the firmware leaves it. */
void vapic_start(struct vcpu *v);

/* After an INIT, on the CPU of @v. */
void vapic_reset(struct vcpu *v);

/* MSRs, for hv/policy.c. False: #GP. */
bool vapic_read_icr(struct vcpu *v, u64 *value);
bool vapic_write_icr(struct vcpu *v, u32 msr, u64 value);
bool vapic_write_base(struct vcpu *v, u32 msr, u64 value);
bool vapic_write_lvt(struct vcpu *v, u32 msr, u64 value);

/* An entry that delivers interrupts, with bit @masked set if it would deliver
 * an INIT, an SMI or nothing known. */
u32 vapic_tame(u32 entry, u32 masked);
