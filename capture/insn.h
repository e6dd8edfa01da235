/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What recorders want to know of x86-64 instructions from their bytes. Pure.
 */
#pragma once

#include <string.h>

#include "lib/types.h"

/* Where the opcode is, behind prefixes. */
static inline size_t insn_opcode(const u8 *bytes, size_t len)
{
	size_t i = 0;

	while (i + 1 < len &&
	       (bytes[i] == 0x66 || bytes[i] == 0x67 || bytes[i] == 0xf2 ||
		bytes[i] == 0xf3 || (bytes[i] & 0xf0) == 0x40))
		i++;
	return i;
}

/* LOCK, or XCHG, which locks without (Intel SDM vol. 2, "XCHG"). */
static inline bool insn_is_atomic(const u8 *bytes, size_t len)
{
	size_t i = insn_opcode(bytes, len);

	return memchr(bytes, 0xf0, i + 1) || (bytes[i] & 0xfe) == 0x86;
}

/* The register that MOV to CR3 (APM vol. 3, "MOV CRn") takes its value from,
 * as instructions number them, or -1: it is another instruction. */
static inline int insn_cr3_source(const u8 *bytes, size_t len)
{
	size_t i = insn_opcode(bytes, len);
	u8 rex = i && (bytes[i - 1] & 0xf0) == 0x40 ? bytes[i - 1] : 0;

	if (len < i + 3 || bytes[i] != 0x0f || bytes[i + 1] != 0x22)
		return -1;
	if ((bytes[i + 2] >> 3 & 7) != 3 || rex & 4)
		return -1;
	return (bytes[i + 2] & 7) | (rex & 1) << 3;
}
