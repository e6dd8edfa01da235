/* SPDX-License-Identifier: Apache-2.0 */
/* What tests may do with a writer and recorders need not. */
#pragma once

#include "lib/nbt/nbt.h"

/* Ends the block that is being filled: files of several blocks can be small. */
void nbt_cut(struct nbt_writer *w);
