/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a block as bytes, and back. A record is: the accesses since the
 * event before, type, number of arguments (what is left out is 0), whether
 * there is a text, thread, process, the arguments, the text's length with its
 * final 0, the text. Numbers are LEB128. Private to lib/nbt.
 */
#pragma once

#include "lib/nbt/format.h"

/* No record is longer. */
#define NBT_RECORD_MAX (NBT_TEXT_MAX + 64)

/* Writes @e, @since accesses after the one before, to @out, which has
 * NBT_RECORD_MAX bytes. A longer text is cut. Returns the bytes written. */
size_t nbt_put_record(const struct nbt_event *e, u32 since, u8 *out);

/* Reads the @count events of @bytes into @out; their texts point there. @n:
 * the block's accesses. Returns < 0 unless they are exactly that. */
int nbt_get_records(const u8 *bytes, size_t size, u32 n, size_t count,
		    struct nbt_event *out);
