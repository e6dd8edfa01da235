/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end: say why, show the registers, the guest and the last exits, and stop
 * this CPU, or reset the machine (option panic=reset). For what must not
 * happen: nothing that a guest does may lead here.
 */
#pragma once

#include "lib/types.h"

/* What a panic does in the end; at first it stops. */
void panic_resets(bool on);

void panic(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* For mistakes of whoever starts L0: one line, no dump, then likewise. */
void give_up(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* Stops this CPU, because another one has panicked. */
void panic_stop(void) __attribute__((noreturn));

void machine_reset(void) __attribute__((noreturn));
