/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main program of all workloads: options, memory, threads, and a line with
 * a checksum, so that nothing is left out because nobody asks for it. What is
 * measured stands between the markers MARK_BEGIN and MARK_END of lib/marker.h.
 */
#pragma once

#include "workload/pattern.h"

int workload_main(const struct pattern *pattern, int argc, char **argv);
