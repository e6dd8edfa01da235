/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack_mode.S: where its copy lies, and how many modes it goes through. Only
 * #defines live here.
 */
#pragma once

#define ATTACK_LOW  0x8000 /* below 64 KiB; guest/lib/smp.c's, unused here */
#define ATTACK_DATA 0x7000 /* what it keeps: not beside its code */
#define MODES	    5
