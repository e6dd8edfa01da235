/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the payload svm_intercept, a file each. */
#pragma once

#include "guest/test/svm_l2.h"

extern const struct l2_table intercept_insns, intercept_registers,
	intercept_exceptions, intercept_user;

/*
 * Runs L2 at @code, whose first instruction has to be the one that exits with
 * exit code @want: before it has done anything.
 */
void expect_stopped(svm_code *code, u64 want);

/* Sets all intercepts of instructions and of control and debug registers. */
void intercept_all(void);
