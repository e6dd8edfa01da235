/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dmt and pvdmt without some of what makes them: for tests, and for designs
 * that compare. Called in place of their start(); the rest stays as it is.
 */
#pragma once

#include "walk/mmu.h"

/* With @registers a set instead of TEA_REGISTERS. */
int dmt_start(struct mmu *m, size_t registers, struct err *err);

/* The same; without @gtea the host does not offer gTEAs, so that a guest has
 * those of dmt, and a guest of a guest none. */
int pvdmt_start(struct mmu *m, size_t registers, bool gtea, struct err *err);
