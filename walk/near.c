/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/near.h"

#include <string.h>

void near_init(struct near *w, u8 *bytes, u32 max)
{
	size_t room = (size_t)max + (size_t)2 * NEAR;

	memset(bytes, 0, NEAR_BYTES(max));
	w->drop = bytes;
	w->hit = bytes + room;
	for (u32 d = 0; d < NEAR; d++)
		w->same[d] = bytes + (2 + (size_t)d) * room;
}

void near_compare(struct near *w, const u64 *address, unsigned shift, u32 n)
{
	w->n = n;
	for (u32 d = 1; d <= NEAR; d++) {
		u8 *restrict same = w->same[d - 1];

		for (u32 i = d; i < n; i++)
			same[i] = (address[i] ^ address[i - d]) >> shift == 0;
		memset(same, 0, d);
		memset(same + n, 0, NEAR);
	}
}

void near_barrier(struct near *w, u32 at)
{
	for (u32 d = 1; d <= NEAR; d++)
		for (u32 i = 0; i < d; i++)
			w->same[d - 1][at + i] = 0;
}

u32 near_find(struct near *w)
{
	const u8 *s1 = w->same[0], *s2 = w->same[1], *s3 = w->same[2];
	const u8 *s4 = w->same[3];
	u8 *restrict hit = w->hit, *restrict drop = w->drop;
	u32 n = w->n, dropped = 0;

	_Static_assert(NEAR == 4, "written for four");
	for (u32 i = 0; i < n; i++)
		hit[i] = s1[i] | s2[i] | s3[i] | s4[i];
	memset(hit + n, 0, NEAR);
	for (u32 i = 0; i < n; i++) {
		u8 again = s4[i + 4] & hit[i + 3];

		again = (s3[i + 3] | again) & hit[i + 2];
		again = (s2[i + 2] | again) & hit[i + 1];
		drop[i] = hit[i] & (s1[i + 1] | again);
	}
	for (u32 i = 0; i < n; i++)
		dropped += drop[i];
	return dropped;
}
