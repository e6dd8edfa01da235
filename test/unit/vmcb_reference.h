/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hv/nested/check.h promises, once more: each rule as the manual words it,
 * in the manual's order and slowly. Used by the unit test and the fuzz target.
 */
#pragma once

#include "hv/nested/check.h"

#define REFERENCE_RULES 24

/* All rules that a VMCB breaks. */
struct reference {
	size_t n;
	const char *broken[REFERENCE_RULES];
};

struct reference reference_check(const struct vmcb *v,
				 const struct check_limits *l);

/* Whether check_vmcb() may answer @why: NULL if nothing is broken, else one of
 * the rules that are. */
bool reference_agrees(const struct vmcb *v, const struct check_limits *l,
		      const char *why);

/* A VMCB that every CPU takes: a 64-bit guest under nested paging, all
 * features of reference_limits() in use. */
struct vmcb reference_vmcb(void);
struct check_limits reference_limits(void);
