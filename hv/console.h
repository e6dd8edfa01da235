/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's messages: to a serial port and to a ring in memory. One line a call,
 * "\n" included. L1 may own the same port: what both print is mixed.
 */
#pragma once

#include "lib/types.h"

#define LOG_SIZE 0x4000

/* @port 0: to the ring only. */
void console_init(u16 port);

/* Whether messages stay in the ring; at first they do not. Switched off, it
 * sends what has been held back. */
void console_quiet(bool on);

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
