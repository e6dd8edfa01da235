/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's own options, words of its command line:
 *
 *   mem=SIZE   what L0 takes, with K, M or G; 16M to 1G (default 64M)
 *   com=PORT   where messages go: com1 (default), com2, none
 */
#pragma once

#include "lib/types.h"

struct options {
	u64 mem;
	u16 port;
};

/* The first word is the file's name. An unknown word is refused. */
int options_parse(struct options *o, const char *line, const char **why);
