/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's terminal as the console of an interactive guest. Raw while the
 * guest runs, so that Ctrl-C and the rest reach the guest; Ctrl-] leaves.
 * Restored at exit, whatever the reason.
 */
#pragma once

#include <stdbool.h>

#include "lab/console.h"

void terminal_raw(void);
void terminal_restore(void);

/* Keys to the guest; false after Ctrl-] or the end of input. */
bool terminal_to_guest(int guest);

/* The guest's output to the terminal; @c looks for "@nestbox" lines in it. */
void terminal_from_guest(int guest, struct console *c);
