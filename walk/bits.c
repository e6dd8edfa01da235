/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/bits.h"

#include <sys/mman.h>

static size_t bytes_of(u64 n)
{
	return (n + 63) / 64 * 8;
}

/* Large pages of the host would make up memory for bits that nobody sets. */
u64 *bits_new(u64 n)
{
	void *p = mmap(NULL, bytes_of(n), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes_of(n), MADV_NOHUGEPAGE);
	return p;
}

void bits_free(u64 *bits, u64 n)
{
	if (bits)
		munmap(bits, bytes_of(n));
}

u64 bits_find(const u64 *bits, u64 from, u64 end, bool value)
{
	u64 flip = value ? 0 : ~0ull;

	while (from < end) {
		u64 word = (bits[from >> 6] ^ flip) >> (from & 63);

		if (word) {
			from += (u64)__builtin_ctzll(word);
			return from < end ? from : end;
		}
		from = (from | 63) + 1;
	}
	return end;
}

/* The bits of the word of @from that are in [@from, @end). */
static u64 mask_of(u64 from, u64 end)
{
	u64 next = (from | 63) + 1;
	u64 n = (next < end ? next : end) - from;

	return (n == 64 ? ~0ull : (1ull << n) - 1) << (from & 63);
}

u64 bits_count(const u64 *bits, u64 from, u64 end)
{
	u64 n = 0;

	for (; from < end; from = (from | 63) + 1)
		n += (u64)__builtin_popcountll(bits[from >> 6] &
					       mask_of(from, end));
	return n;
}

void bits_fill(u64 *bits, u64 from, u64 end, bool to)
{
	for (; from < end; from = (from | 63) + 1) {
		if (to)
			bits[from >> 6] |= mask_of(from, end);
		else
			bits[from >> 6] &= ~mask_of(from, end);
	}
}

/* Bits of @level. */
static u64 level_bits(u64 n, unsigned level)
{
	for (; level; level--)
		n = (n + 63) / 64;
	return n;
}

int lowest_init(struct lowest *l, u64 n)
{
	*l = (struct lowest){.n = n};
	for (unsigned i = 0; i < LOWEST_LEVELS; i++) {
		l->level[i] = bits_new(level_bits(n, i));
		if (!l->level[i]) {
			lowest_free(l);
			return -1;
		}
	}
	return 0;
}

void lowest_free(struct lowest *l)
{
	for (unsigned i = 0; i < LOWEST_LEVELS; i++)
		bits_free(l->level[i], level_bits(l->n, i));
	*l = (struct lowest){0};
}

u64 lowest_find(const struct lowest *l)
{
	u64 at = 0;

	for (unsigned i = LOWEST_LEVELS; i-- > 0;) {
		u64 word = l->level[i][at];

		if (!word)
			return l->n;
		at = at * 64 + (u64)__builtin_ctzll(word);
	}
	return at;
}

bool lowest_put(struct lowest *l, u64 i, bool to)
{
	if (!bit_put(l->level[0], i, to))
		return false;
	for (unsigned k = 1; k < LOWEST_LEVELS; k++) {
		i /= 64;
		if (!bit_put(l->level[k], i, l->level[k - 1][i] != 0))
			break;
	}
	return true;
}
