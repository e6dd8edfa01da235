/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the payload svm_gif, a file each, and what both need. */
#pragma once

#include "guest/test/svm_l2.h"

#define TAKEN 0x7a /* RBX once L2's handler has run */
#define SPINS 200000u

extern const struct l2_table gif_alone, gif_interrupts, gif_halts, gif_nmis,
	gif_virtual;

/* An interrupt at L1_VECTOR_TIMER soon, but not before L2 runs: in less time
 * than L1 or L2 takes to count to SPINS. */
void gif_arm_timer(void);
void gif_spin(void);

void gif_expect_no_delivery(void);
