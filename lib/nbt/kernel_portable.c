/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding without SIMD: what the others have to agree with. */
#include <string.h>

#include "lib/nbt/format.h"
#include "lib/nbt/kernel.h"

static bool supported(void)
{
	return true;
}

static inline u64 unzigzag(u64 z)
{
	return z >> 1 ^ -(z & 1);
}

static const u8 *deltas(const struct nbt_deltas *d, u64 *out, u64 *width)
{
	const u8 *control = d->control, *p = d->data, *end = d->end;
	u64 mask[4], bytes[4], last = d->base, wide = 0, *stop = out + d->n;

	for (int i = 0; i < 4; i++) {
		bytes[i] = d->class[i];
		mask[i] = bytes[i] ? ~0ull >> (64 - 8 * bytes[i]) : 0;
	}
	for (; out < stop; control += 2) {
		unsigned classes = control[0] | control[1] << 8;

		if (end - p < NBT_SLACK)
			return NULL;
		for (int j = 0; j < NBT_GROUP; j++, classes >>= 2) {
			u64 z;

			memcpy(&z, p, 8);
			p += bytes[classes & 3];
			last += unzigzag(z & mask[classes & 3]);
			wide |= last ^ -(last >> 63);
			*out++ = last;
		}
	}
	*width = wide;
	return p;
}

static void nibbles(const u8 *in, const u8 value[16], u8 *out, size_t n)
{
	for (size_t i = 0; i < n; i += 32) {
		for (size_t j = 0; j < 16; j++) {
			u8 both = in[i / 2 + j];

			out[i + 2 * j] = value[both & 15];
			out[i + 2 * j + 1] = value[both >> 4];
		}
	}
}

const struct nbt_kernel nbt_kernel_portable = {
	.name = "portable",
	.supported = supported,
	.deltas = deltas,
	.nibbles = nibbles,
};
