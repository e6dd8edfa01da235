/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to simulate: a line for each file in walk/design/. */
#include "walk/designs.h"

#include "walk/walk.h"

const struct design *const walk_designs[] = {
	&design_radix,	     &design_shadow,  &design_dmt, &design_pvdmt,
	&design_perfect_tlb, &design_one_ref, NULL,
};
