/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/canneal.h"

#include "workload/main.h"

int main(int argc, char **argv)
{
	return workload_main(&canneal_pattern, argc, argv);
}
