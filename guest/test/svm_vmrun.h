/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the payload svm_vmrun, a file each. */
#pragma once

#include "guest/test/svm_l2.h"

extern const struct l2_table vmrun_checks, vmrun_state, vmrun_copies;
