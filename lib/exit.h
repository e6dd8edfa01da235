/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exit reasons: their names, and a dense index ("slot") for tables and
 * counters, made from exit.def. A reason that exit.def does not know has the
 * slot EXIT_unknown; SVM's VMEXIT_INVALID has EXIT_invalid. Pure.
 */
#pragma once

#include "lib/types.h"

#define NO_EXIT 0xffff

enum exit_slot {
	EXIT_unknown,
	EXIT_invalid,
#define EXIT(slot, svm, svm_count, vmx, text) EXIT_##slot,
#include "lib/exit.def"
#undef EXIT
	EXIT_SLOTS
};

/* The slot of SVM's exit code; only its low 32 bits count, because QEMU's
 * software CPU writes VMEXIT_INVALID as 0x00000000ffffffff. */
enum exit_slot exit_slot_svm(u64 code);

/* The slots of all codes below @n (at most NO_EXIT), in one go. */
void exit_table_svm(u8 *slot_of, size_t n);

/* The slot of VMX's exit reason; only the basic reason counts. */
enum exit_slot exit_slot_vmx(u32 reason);

/* What people call it: "CPUID", "nested page fault". */
const char *exit_name(enum exit_slot slot);
