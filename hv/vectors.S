/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of L0's 32 exceptions. */
#define TRAP_VECTORS EXCEPTIONS
#include "lib/trap_stubs.S"

	.section .note.GNU-stack, "", @progbits
