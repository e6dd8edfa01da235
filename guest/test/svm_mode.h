/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the payload svm_mode, a file each, and what they share. */
#pragma once

#include "guest/test/svm_l2.h"

#define EXIT_OF(v) (VMCB_EXIT_EXCEPTION + (v))
#define MARK	   0x5511u

/* Code of 16 and 32 bits. */
#define CODE_OF(bits, name, text) \
	SVM_CODE(name, ".code" bits "\n\t" text "\n\tvmmcall\n\t.code64")

extern const struct l2_table mode_real_rows, mode_trips, mode_protected_rows,
	mode_paged_rows, mode_registers, mode_memory;

/* Attributes for CS and for the other segments, all with base 0. */
void mode_segments(u16 code, u16 data);

/* No paging, no long mode; @cr0: PE or not. */
void mode_no_paging(u64 cr0);

/* Protected mode, 32 bits, with an IDT. */
void mode_protected(void);

/* Tables and registers for 32-bit and for PAE paging, CR0.PG not yet. */
void mode_paging32(void);
void mode_pae(void);
