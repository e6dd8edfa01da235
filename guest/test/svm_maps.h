/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The permission maps of the payload svm_maps: its own ones, of which L2's VMCB
 * knows after maps_reset(), with the MSR and IOIO intercepts on.
 */
#pragma once

#include "guest/test/svm_l2.h"

#define IOPM_PAGES  3
#define MSRPM_PAGES 2

extern u8 maps_io[], maps_msr[];

/* Every byte of both becomes @fill. */
void maps_reset(u8 fill);

static inline void map_set(u8 *map, u64 bit)
{
	map[bit / 8] |= (u8)(1u << bit % 8);
}

static inline void map_clear(u8 *map, u64 bit)
{
	map[bit / 8] &= (u8) ~(1u << bit % 8);
}

/* Both expect what L2's first instruction, at @code, has to do. The next one
 * is @len bytes behind. */
void expect_exit_at(svm_code *code, u64 want, u64 len);
void expect_passed(svm_code *code, u64 not_code);

extern const struct l2_table maps_msrs, maps_ports;
