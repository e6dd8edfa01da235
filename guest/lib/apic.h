/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC of the CPU that calls: x2APIC if the CPU has it, else
 * xAPIC. apic_init() once, before smp_init(), which calls apic_init_cpu()
 * on the other CPUs. Both leave every interrupt source of this APIC masked
 * and do not touch RFLAGS.IF; apic_init() also masks the two legacy PICs,
 * which a BIOS leaves ticking.
 *
 * The timer counts TSC ticks where the CPU has TSC-deadline mode, otherwise
 * APIC bus ticks (under QEMU and KVM: nanoseconds). Once, not periodic.
 */
#pragma once

#include "lib/apic.h"
#include "lib/types.h"

#define APIC_TICKS_MAX 0xffffffffu

void apic_init(void);
void apic_init_cpu(void);
u32 apic_id(void);
void apic_eoi(void);

/* Sends @command (ICR_...); in xAPIC mode @dest is an 8-bit APIC ID. */
void apic_send(u32 dest, u32 command);

/*
 * Timer: _start unmasks it with @vector and arms nothing; _arm programs one
 * interrupt @ticks from now; _stop disarms and masks it.
 */
void apic_timer_start(u8 vector);
void apic_timer_arm(u32 ticks);
void apic_timer_stop(void);
bool apic_timer_has_deadline(void);
