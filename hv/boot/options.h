/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own command line:
 *
 *	[FILE] [mem=SIZE] [com=PORT] [panic=halt|reset] [quiet]
 *	[tick=MS] [svm=off|MASK] [shake=N] [-- L1...]
 *
 * SIZE has the suffix K, M or G; PORT is com1, com2, none or a number. Of a
 * word that is given twice the last counts. A loader may put the name of the
 * file first; it is skipped. What follows "--" is for L1.
 *
 * Returns 0, or negative with *why naming the word; that text is in .error.
 * The line is not copied: it must outlive the struct.
 */
#pragma once

#include "lib/types.h"

struct options {
	u64 mem;	/* bytes for the hypervisor, a multiple of 2 MiB */
	u16 port;	/* I/O port of a 16550; 0: none */
	bool reset;	/* on panic, instead of halting */
	bool quiet;	/* only panics are printed */
	u32 tick;	/* ms between ticks of L0's own timer; 0: none */
	u32 svm;	/* features of SVM that L1 may have; 0: no SVM */
	u32 shake;	/* hv/nested/shake.c, at every n-th exit; 0: never */
	const char *l1; /* behind "--"; "" if there is nothing */
	char error[80];
};

int options_parse(struct options *o, const char *line, const char **why);

/* The line without the file's name, in case it begins with one. */
const char *options_skip_file(const char *line);

/* L1's command line: its module's own, if there is one. */
const char *options_l1(const struct options *o, const char *module);
