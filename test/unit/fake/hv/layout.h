/* SPDX-License-Identifier: Apache-2.0 */
/* Stands before hv/layout.h, as fake/lib/cpu.h before lib/cpu.h: a physical
 * address is the test's own pointer. */
#pragma once

#include "../../../../hv/layout.h"

#undef DIRECT_MAP
#define DIRECT_MAP 0
