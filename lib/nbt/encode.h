/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One column to bytes, as format.h describes them, for blocks (pack.c). Pure:
 * the output depends on nothing but the input. Private to lib/nbt.
 */
#pragma once

#include "lib/nbt/format.h"

/* Writes the deltas of @n values to @out, which has NBT_DELTAS_MAX bytes; the
 * first is 0. Sets @class. @scratch: NBT_BLOCK + NBT_GROUP words. Returns the
 * bytes written. */
size_t nbt_encode_deltas(const u64 *value, size_t n, u64 *scratch, u8 class[4],
			 u8 *out);

/* Writes @n bytes to @out, which has NBT_BYTES_MAX bytes, in the form that
 * takes least; @code is set to it. Returns the bytes written. */
size_t nbt_encode_bytes(const u8 *value, size_t n, u8 *code, u8 *out);
