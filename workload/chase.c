/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/chase.h"

#include "workload/main.h"

int main(int argc, char **argv)
{
	return workload_main(&chase_pattern, argc, argv);
}
