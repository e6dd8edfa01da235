/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a payload knows of nestbox.elf if that is the level below: whether it
 * is, where its memory lies, its hypercalls and their token. Serves what
 * L1's root can do on Linux; lib/hypercall.h says what the calls mean.
 */
#pragma once

#include "lib/hypercall.h"

/* True if CPUID's leaves of hypervisors name nestbox. */
bool nestbox_below(void);

/* The registers of a hypercall, in and out. */
struct nestbox_call {
	u64 rax, rbx, rcx, rdx, rsi, rdi, r8;
};

void nestbox_call(struct nestbox_call *c);

/* Reads the token out of the ACPI table. False: there is none. */
bool nestbox_token(u64 token[2]);

/* The memory that it keeps; both are 0 without a token. */
void nestbox_block(u64 *start, u64 *end);
