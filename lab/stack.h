/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks: which hypervisor runs at which level. A name is the level of the
 * guest and one letter for each hypervisor from L0 up: "2kk" is a guest on KVM
 * on KVM. "0" is a guest on the bare (emulated) CPU. "n" is nestbox.elf, which
 * has no machine of its own: its guest gets the one below. It runs on the CPU
 * or on itself, so all "n" come first. Pure.
 */
#pragma once

#include <stdbool.h>

#include "lib/err.h"

#define MAX_LEVEL 3 /* of the guest; a PC has four serial ports */

struct stack {
	char name[MAX_LEVEL + 2];
	int guest_level;
};

/* Is the hypervisor at @level, below the guest's, nestbox.elf? */
static inline bool stack_is_nestbox(const struct stack *stack, int level)
{
	return level < stack->guest_level && stack->name[level + 1] == 'n';
}

/* Parses @name. */
int stack_parse(struct stack *stack, const char *name, struct err *err);

/* How many nestbox.elf stand on each other; the level of their guest. */
int stack_nestboxes(const struct stack *stack);

/* The stack without its last hypervisor: "1k" of "2kk"; "" of "0". */
void stack_name_below(const struct stack *stack, char name[MAX_LEVEL + 2]);

/*
 * Parses "A,B,C" (L0's value first, the last one holds for all that follow)
 * into @values[0..guest_level]; each must lie in @min..@max. Suffixes K, M, G
 * are powers of 1024 and allowed if @unit is not 0, which is what a number
 * without suffix counts. @what names the option in errors. A list that is for
 * several stacks names at most @levels levels, the deepest one's.
 */
struct per_level {
	const char *what;
	long min, max;
	long unit;
	int levels; /* 0: this stack's own */
};
int stack_parse_values(const struct stack *stack, const struct per_level *rule,
		       const char *text, long values[MAX_LEVEL + 1],
		       struct err *err);
