/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts L1 into memory: the first module, with the second one as its initrd,
 * and the words that follow the first module's name as its command line.
 */
#pragma once

#include "hv/boot/bootinfo.h"
#include "hv/boot/options.h"
#include "hv/vmm.h"

/* Says where L1 starts. Negative: *why; memory is spoilt then. */
int l1_load(struct start *start, struct bootinfo *boot,
	    const struct options *options, const char **why);
