/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/graph500.h"

#include "workload/main.h"

int main(int argc, char **argv)
{
	return workload_main(&graph500_pattern, argc, argv);
}
