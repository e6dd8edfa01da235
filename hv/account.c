/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/account.h"

static const char *const handler_name[HANDLERS] = {"L0", "L1"};

void account_add(struct account *sum, const struct account *a)
{
	for (unsigned level = 0; level < ACCOUNT_LEVELS; level++)
		for (unsigned slot = 0; slot < EXIT_SLOTS; slot++)
			for (unsigned h = 0; h < HANDLERS; h++)
				sum->count[level][slot][h] +=
					a->count[level][slot][h];
	sum->past += a->past;
}

u64 account_sum(const struct account *a, unsigned level, enum handler handler)
{
	u64 sum = 0;

	for (unsigned slot = 0; slot < EXIT_SLOTS; slot++)
		sum += a->count[level - 1][slot][handler];
	return sum;
}

static u64 sum_all(const struct account *a)
{
	u64 sum = 0;

	for (unsigned level = 1; level <= ACCOUNT_LEVELS; level++)
		for (unsigned h = 0; h < HANDLERS; h++)
			sum += account_sum(a, level, (enum handler)h);
	return sum;
}

const char *account_check(const struct account *a,
			  const struct nested_counts *n)
{
	if (sum_all(a) != a->past)
		return "world switches are not the sum of all exits";
	if (account_sum(a, 1, BY_L1))
		return "L1 handled an exit of its own";
	if (account_sum(a, 2, BY_L1) != n->reflected)
		return "L1's exits of L2 are not those reflected";
	if (n->vmruns != n->reflected + n->made_up + (n->level == 2))
		return "VMRUNs and their ends do not pair up";
	return NULL;
}

const struct past_exit *account_past(const struct account *a, u64 back)
{
	if (back >= ACCOUNT_RING || back >= a->past)
		return NULL;
	return &a->ring[(a->past - 1 - back) % ACCOUNT_RING];
}

static void dump_slot(const struct account *a, unsigned level, unsigned slot,
		      account_print *print)
{
	for (unsigned h = 0; h < HANDLERS; h++) {
		u64 n = a->count[level][slot][h];

		if (n)
			print("  L%u %-22s by %s %10lu\n", level + 1,
			      exit_name((enum exit_slot)slot), handler_name[h],
			      n);
	}
}

void account_dump(const struct account *a, account_print *print)
{
	print("world switches %lu\n", a->past);
	for (unsigned level = 0; level < ACCOUNT_LEVELS; level++)
		for (unsigned slot = 0; slot < EXIT_SLOTS; slot++)
			dump_slot(a, level, slot, print);
}

void account_dump_ring(const struct account *a, account_print *print)
{
	for (u64 back = ACCOUNT_RING; back-- > 0;) {
		const struct past_exit *p = account_past(a, back);

		if (!p)
			continue;
		print("  L%u %-22s code 0x%lx info %lx %lx rip %lx by %s\n",
		      p->level, exit_name(p->exit.slot), p->exit.code,
		      p->exit.info1, p->exit.info2, p->rip,
		      handler_name[p->handler]);
	}
}
