/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/gups.h"

#include "workload/main.h"

int main(int argc, char **argv)
{
	return workload_main(&gups_pattern, argc, argv);
}
