/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/stream.h"

#include "workload/main.h"

int main(int argc, char **argv)
{
	return workload_main(&stream_pattern, argc, argv);
}
