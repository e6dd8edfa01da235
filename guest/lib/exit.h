/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a payload. QEMU's isa-debug-exit turns a written value into
 * its own exit status 2 * value + 1, so 0..127 arrive intact, and status 1
 * (value 0) is success. Bochs just ends. On other machines the CPU halts.
 * Sends what the serial line still has. Any CPU may call it.
 */
#pragma once

enum exit_value {
	EXIT_OK = 0,
	EXIT_FAIL = 1,
	EXIT_USAGE = 2, /* the command line asks for what there is not */
	EXIT_LOST = 3,	/* an interrupt never arrived */
	EXIT_TRAP = 4,	/* an exception that nobody handles */
};

__attribute__((noreturn)) void guest_exit(int value);
