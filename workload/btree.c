/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/btree.h"

#include "workload/main.h"

int main(int argc, char **argv)
{
	return workload_main(&btree_pattern, argc, argv);
}
