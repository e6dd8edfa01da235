/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test Anything Protocol on the serial line, for payloads that test.
 *
 *	tap_plan(2);
 *	tap_ok(1 + 1 == 2, "sums");
 *	tap_skip("one CPU only", "ipi");
 *	return tap_done();
 *
 * A failed check goes on with the next one. Only CPU 0 calls these.
 */
#pragma once

#include "lib/types.h"

void tap_plan(unsigned tests);

/* Returns @pass, so that a check that depends on it can be left out. */
bool tap_ok(bool pass, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void tap_skip(const char *reason, const char *name);

/* The value for guest_exit(): EXIT_FAIL after a failure or a wrong count. */
int tap_done(void);
