/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/stack.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int stack_parse(struct stack *stack, const char *name, struct err *err)
{
	size_t level = (size_t)(name[0] - '0');

	if (!isdigit((unsigned char)name[0]) || level > MAX_LEVEL ||
	    strlen(name) != level + 1)
		return err_set(err,
			       "unknown stack '%s': give the guest's level and "
			       "one letter for each hypervisor, such as 0, 1k, "
			       "1n, 2kk or 3kkk",
			       name);
	for (const char *h = name + 1; *h; h++)
		if (*h != 'k' && *h != 'n')
			return err_set(err,
				       "unknown hypervisor '%c' in stack '%s': "
				       "k = Linux with KVM, n = nestbox.elf",
				       *h, name);
	if (strstr(name, "kn"))
		return err_set(err,
			       "stack '%s': nestbox.elf runs on the CPU or on "
			       "itself, not on KVM: try 1n, 2nk or 2nn",
			       name);
	memcpy(stack->name, name, level + 2);
	stack->guest_level = (int)level;
	return 0;
}

int stack_nestboxes(const struct stack *stack)
{
	return (int)strspn(stack->name + 1, "n");
}

void stack_name_below(const struct stack *stack, char name[MAX_LEVEL + 2])
{
	int level = stack->guest_level - 1;

	memcpy(name, stack->name, sizeof(stack->name));
	name[0] = (char)('0' + level);
	name[level < 0 ? 0 : level + 1] = '\0';
}

static long suffix_factor(char **end, long unit)
{
	const char *suffixes = "KMG", *found;
	long factor = 1;

	if (!unit || !**end)
		return unit ? unit : 1;
	found = strchr(suffixes, toupper((unsigned char)**end));
	if (!found)
		return 0;
	for (long i = 0; i <= found - suffixes; i++)
		factor *= 1024;
	(*end)++;
	return factor;
}

static int parse_value(const struct per_level *rule, const char *text,
		       long *value, struct err *err)
{
	char *end;
	long number, factor;

	errno = 0;
	number = strtol(text, &end, 10);
	if (end == text || errno || number < 0)
		return err_set(err, "%s: '%s' is not a number", rule->what,
			       text);
	factor = suffix_factor(&end, rule->unit);
	if (!factor || *end)
		return err_set(err, "%s: '%s' has an unknown suffix",
			       rule->what, text);
	if (number > rule->max / factor || number * factor < rule->min)
		return err_set(err, "%s: '%s' is out of range", rule->what,
			       text);
	*value = number * factor;
	return 0;
}

int stack_parse_values(const struct stack *stack, const struct per_level *rule,
		       const char *text, long values[MAX_LEVEL + 1],
		       struct err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	int levels = stack->guest_level + 1, level = 0;
	int status = copy ? 0 : err_set(err, "out of memory");

	if (levels < rule->levels)
		levels = rule->levels;
	while (!status && (word = strsep(&rest, ","))) {
		if (level == levels)
			status = err_set(err, "%s: more values than levels",
					 rule->what);
		else
			status = parse_value(rule, word, &values[level++], err);
	}
	for (; !status && level < levels; level++)
		values[level] = values[level - 1];
	free(copy);
	return status;
}
