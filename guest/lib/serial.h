/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output on COM1, polled, no interrupts. serial_init() is optional under
 * QEMU but not on a real UART. A call formats one text (cut at
 * SERIAL_LINE_MAX) and sends it at once; callers end their lines with '\n'
 * themselves, which goes out as it is. One CPU at a time.
 */
#pragma once

#include "lib/types.h"

#define SERIAL_LINE_MAX 256

void serial_init(void);
void serial_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void serial_vprintf(const char *fmt, __builtin_va_list ap)
	__attribute__((format(printf, 1, 0)));

/* Returns when the last byte has left, or a bounded time later. */
void serial_drain(void);
