/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommands of `nestbox`. Each cmd_*.c parses its own options with
 * argp (which makes --help and --usage) and returns the exit status:
 *
 *   0..255  run: the guest's own status
 *   1       something failed
 *   2       the command line is wrong
 */
#pragma once

#include "lab/spec.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

int cmd_run(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_walk(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_capture(int argc, char **argv);

/* Prints "nestbox: ..." to stderr; returns @status for the caller's return. */
int complain(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
