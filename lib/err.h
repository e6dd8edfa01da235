/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of hosted code. A function that can fail returns < 0 and has put one
 * line into the caller's struct err: what failed, and what to do about it.
 * Only main.c and cmd_*.c print it and end the program.
 */
#pragma once

struct err {
	char text[512];
};

/* Formats the line; returns -1, so that callers can return it at once. */
int err_set(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
