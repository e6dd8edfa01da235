/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs of fuzz targets about VMCBs: 3 bytes each change the legal VMCB of
 * test/unit/vmcb_reference.h, or another one, so that an input is a short list
 * of what is unusual. END_EDITS is the end of such a list.
 */
#pragma once

#include "lib/vmcb.h"

#define END_EDITS 0xffff

struct input {
	const u8 *bytes;
	size_t left;
};

/* The next @n bytes, at most 8; zeros behind the end. */
u64 take(struct input *in, size_t n);

/* Changes *@v by a list of edits. */
void take_edits(struct input *in, struct vmcb *v);

/* Ends the program if @true_thing is not. */
void require(bool true_thing);
