/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMLOAD, VMSAVE, VMMCALL and SKINIT (AMD APM vol. 2, 15.5.2, 15.13, 15.27;
 * vol. 3): what they move, what they leave alone and what they refuse.
 */
#include "guest/test/svm_l2.h"

int main(const char *cmdline);

static void ends(const struct l2_row *r)
{
	l2_expect_exit(r->code, VMCB_EXIT_VMMCALL);
}

static const struct l2_row rows[] = {
	L2_ROW("vmmcall", ends, NULL),
};

static const struct l2_table tables[] = {L2_TABLE(rows)};

int main(const char *cmdline)
{
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
