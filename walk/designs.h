/* SPDX-License-Identifier: Apache-2.0 */
/* The designs by name, for walk/designs.c only: everybody else goes through
 * walk_designs[] (walk/walk.h). */
#pragma once

#include "walk/design.h"

extern const struct design design_radix;
extern const struct design design_shadow;
extern const struct design design_dmt;
extern const struct design design_pvdmt;
extern const struct design design_perfect_tlb;
extern const struct design design_one_ref;
