/* SPDX-License-Identifier: Apache-2.0 */
#include "test/fuzz/vmcb_input.h"

#include <stdlib.h>
#include <string.h>

void require(bool true_thing)
{
	if (!true_thing)
		abort();
}

u64 take(struct input *in, size_t n)
{
	u64 value = 0;
	size_t has = n < in->left ? n : in->left;

	memcpy(&value, in->bytes, has);
	in->bytes += has;
	in->left -= has;
	return value;
}

/*
 * An edit: 12 bits say where; 2 say how: replace a byte, flip bits of it, fill
 * 8 bytes with it, or make a quadword of a power of two, with ones below and
 * negated as the upper bits of @value say.
 */
static void edit(struct vmcb *v, u16 where, u8 value)
{
	u8 *at = (u8 *)v + (where & 0xfff);
	size_t room = sizeof(*v) - (where & 0xfff);
	u64 wide = 1ull << (value & 63);

	if (value & 64)
		wide--;
	if (value & 128)
		wide = -wide;
	switch (where >> 12 & 3) {
	case 0:
		*at = value;
		break;
	case 1:
		*at ^= value;
		break;
	case 2:
		memset(at, value, room < 8 ? room : 8);
		break;
	case 3:
		memcpy(at, &wide, room < 8 ? room : 8);
		break;
	}
}

void take_edits(struct input *in, struct vmcb *v)
{
	u16 where;

	while (in->left && (where = (u16)take(in, 2)) != END_EDITS)
		edit(v, where, (u8)take(in, 1));
}
