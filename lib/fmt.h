/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf-style formatting without libc, for payloads and hosted programs.
 *
 * Conversions: %s %c %d %i %u %x %p %%, integers also with l, ll or z;
 * flags 0 and -, a width, and for %s a precision (width and precision may
 * be *). Anything else is copied as it stands, so a mistake is visible.
 *
 * Both functions behave like snprintf: they write at most @size bytes, end
 * the text with a NUL if @size is not 0, and return the length the whole
 * text has (without NUL). They keep no state and call nothing.
 */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

size_t fmt_vformat(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
size_t fmt_format(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
