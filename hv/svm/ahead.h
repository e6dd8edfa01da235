/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM's way back from its guest has VMSAVE, POP RAX and VMLOAD in a row. L0,
 * which has just done the VMSAVE, does the other two as well if they are there
 * and the POP cannot fault or be seen by a debugger; that spares an exit.
 */
#pragma once

#include "hv/vmm.h"

/* @rip: behind L1's VMSAVE, which began in the same page as memo_behind() says.
 * Returns where L1 goes on: @rip if nothing could be done. */
u64 ahead_of_vmsave(struct vcpu *v, u64 rip, const u8 *code);
