/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/xsbench.h"

#include "workload/main.h"

int main(int argc, char **argv)
{
	return workload_main(&xsbench_pattern, argc, argv);
}
