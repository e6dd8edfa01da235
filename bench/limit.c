/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/limit.h"

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define AHEAD	   12 /* accesses between prefetching and using a line */
#define L3_SETS	   32768
#define HUGE_PAGE  (2u << 20)
#define GUEST_BASE (1ull << 42)
#define HOST_BASE  (2ull << 42)

/* What the permutations for moving lane p to the front look like. */
struct tables {
	u32 lanes16[16][16], lanes8[8][8];
	u8 bytes4[4][16];
	u64 row[8], column[8]; /* of the bit matrices */
};

struct state {
	u32 tlb1[16][4], tlb2[128][16], l1[64][8], l2[1024][16];
	u32 pde[16], pdpte[16], host_pde[16], host_pdpte[16], ntlb[16][4];
	u64 tlb1_order[16], l1_order[64];
	u32 (*l3)[16];
	struct tables table;
	struct limit_counts count;
} __attribute__((aligned(64)));

static u32 moved_from(u32 lane, u32 front)
{
	return lane == 0 ? front : lane <= front ? lane - 1 : lane;
}

static void make_tables(struct tables *t)
{
	for (u32 p = 0; p < 16; p++)
		for (u32 i = 0; i < 16; i++)
			t->lanes16[p][i] = moved_from(i, p);
	for (u32 p = 0; p < 8; p++)
		for (u32 i = 0; i < 8; i++)
			t->lanes8[p][i] = moved_from(i, p);
	for (u32 p = 0; p < 4; p++)
		for (u32 i = 0; i < 16; i++)
			t->bytes4[p][i] =
				(u8)(4 * moved_from(i / 4, p) + i % 4);
	for (u32 way = 0; way < 8; way++) {
		t->row[way] = 0xffull << 8 * way;
		t->column[way] = ~(0x0101010101010101ull << way);
	}
}

static void reset(struct state *s)
{
	u64 order = 0;

	memset(s, 0xff, offsetof(struct state, tlb1_order));
	memset(s->l3, 0xff, L3_SETS * sizeof(*s->l3));
	memset(&s->count, 0, sizeof(s->count));
	for (u32 way = 0; way < 8; way++)
		order |= ((1ull << way) - 1) << 8 * way;
	for (int i = 0; i < 64; i++)
		s->l1_order[i] = order;
	for (int i = 0; i < 16; i++)
		s->tlb1_order[i] = order | 0xffffffff00000000ull;
}

/* Sets in order of recency: true if @tag was there; it is in lane 0 now. */
static inline bool find4(const struct tables *t, u32 *set, u32 tag)
{
	__m128i v = _mm_load_si128((void *)set), x = _mm_set1_epi32((int)tag);
	u32 hit = _mm_cmpeq_epi32_mask(v, x);
	u32 lane = (u32)__builtin_ctz(hit | 8);

	v = _mm_shuffle_epi8(v, _mm_loadu_si128((const void *)t->bytes4[lane]));
	_mm_store_si128((void *)set, _mm_mask_mov_epi32(v, 1, x));
	return hit;
}

static inline bool find8(const struct tables *t, u32 *set, u32 tag)
{
	__m256i v = _mm256_load_si256((void *)set);
	__m256i x = _mm256_set1_epi32((int)tag);
	u32 hit = _mm256_cmpeq_epi32_mask(v, x);
	u32 lane = (u32)__builtin_ctz(hit | 128);

	v = _mm256_permutevar8x32_epi32(
		v, _mm256_load_si256((const void *)t->lanes8[lane]));
	_mm256_store_si256((void *)set, _mm256_mask_mov_epi32(v, 1, x));
	return hit;
}

static inline bool find16(const struct tables *t, u32 *set, u32 tag, u32 ways)
{
	__m512i v = _mm512_load_si512(set), x = _mm512_set1_epi32((int)tag);
	u32 hit = _mm512_cmpeq_epi32_mask(v, x);
	u32 lane = (u32)__builtin_ctz(hit | 1u << (ways - 1));

	v = _mm512_permutexvar_epi32(_mm512_load_si512(t->lanes16[lane]), v);
	_mm512_store_si512(set, _mm512_mask_mov_epi32(v, 1, x));
	return hit;
}

/* Tags in place; bit j of byte i: way i was used after way j. */
static inline u32 matrix_victim(u64 order)
{
	u64 zero = (order - 0x0101010101010101ull) & ~order;

	return (u32)__builtin_ctzll(zero & 0x8080808080808080ull) >> 3;
}

static inline void matrix_use(const struct tables *t, u64 *order, u32 way,
			      u64 ways)
{
	*order = (*order | (t->row[way] & ways)) & t->column[way];
}

static inline bool matrix4(struct state *s, u32 set, u32 tag)
{
	__m128i x = _mm_set1_epi32((int)tag);
	__m128i v = _mm_load_si128((void *)s->tlb1[set]);
	u32 hit = _mm_cmpeq_epi32_mask(v, x), way;

	if (hit) {
		way = (u32)__builtin_ctz(hit);
	} else {
		way = matrix_victim(s->tlb1_order[set]);
		_mm_store_si128((void *)s->tlb1[set],
				_mm_mask_mov_epi32(v, (__mmask8)(1 << way), x));
	}
	matrix_use(&s->table, &s->tlb1_order[set], way, 0x0f0f0f0f);
	return hit;
}

static inline bool matrix8(struct state *s, u32 set, u32 tag)
{
	__m256i x = _mm256_set1_epi32((int)tag);
	__m256i v = _mm256_load_si256((void *)s->l1[set]);
	u32 hit = _mm256_cmpeq_epi32_mask(v, x), way;

	if (hit) {
		way = (u32)__builtin_ctz(hit);
	} else {
		way = matrix_victim(s->l1_order[set]);
		_mm256_store_si256(
			(void *)s->l1[set],
			_mm256_mask_mov_epi32(v, (__mmask8)(1 << way), x));
	}
	matrix_use(&s->table, &s->l1_order[set], way, ~0ull);
	return hit;
}

static inline bool tlb1_hits(struct state *s, u64 a, enum limit_kind kind)
{
	u32 set = a >> 12 & 15, tag = (u32)(a >> 16);

	return kind == LIMIT_MATRIX ? matrix4(s, set, tag)
				    : find4(&s->table, s->tlb1[set], tag);
}

static inline bool tlb2_hits(struct state *s, u64 a)
{
	return find16(&s->table, s->tlb2[a >> 12 & 127], (u32)(a >> 19), 12);
}

static inline void cache(struct state *s, u64 a, enum limit_kind kind)
{
	const struct tables *t = &s->table;
	u32 set = a >> 6 & 63, tag = (u32)(a >> 12);

	if (kind == LIMIT_MATRIX ? matrix8(s, set, tag)
				 : find8(t, s->l1[set], tag))
		return;
	s->count.l1++;
	if (find16(t, s->l2[a >> 6 & 1023], (u32)(a >> 16), 16))
		return;
	s->count.l2++;
	s->count.l3 +=
		!find16(t, s->l3[a >> 6 & (L3_SETS - 1)], (u32)(a >> 21), 11);
}

/* Tables are linear: the entry of @level for @a. */
static inline u64 entry(u64 base, u64 a, u32 level)
{
	u64 index = (a & 0xffffffffffffull) >> 9 * level;

	return base + ((u64)level << 39) + (index & ~7ull);
}

static inline void ref(struct state *s, u64 a, enum limit_kind kind)
{
	s->count.refs++;
	cache(s, a, kind);
}

static inline void walk_native(struct state *s, u64 a, u64 base, u32 *caches[2],
			       enum limit_kind kind)
{
	if (!find16(&s->table, caches[0], (u32)(a >> 21), 16)) {
		if (!find16(&s->table, caches[1], (u32)(a >> 30), 16)) {
			ref(s, entry(base, a, 4), kind);
			ref(s, entry(base, a, 3), kind);
		}
		ref(s, entry(base, a, 2), kind);
	}
	ref(s, entry(base, a, 1), kind);
}

static inline void host(struct state *s, u64 gpa, enum limit_kind kind)
{
	u32 *caches[2] = {s->host_pde, s->host_pdpte};

	if (!find4(&s->table, s->ntlb[gpa >> 12 & 15], (u32)(gpa >> 16)))
		walk_native(s, gpa, HOST_BASE, caches, kind);
}

static inline void guest_ref(struct state *s, u64 gpa, enum limit_kind kind)
{
	host(s, gpa, kind);
	ref(s, gpa, kind);
}

static inline void walk_nested(struct state *s, u64 a, enum limit_kind kind)
{
	if (!find16(&s->table, s->pde, (u32)(a >> 21), 16)) {
		if (!find16(&s->table, s->pdpte, (u32)(a >> 30), 16)) {
			guest_ref(s, entry(GUEST_BASE, a, 4), kind);
			guest_ref(s, entry(GUEST_BASE, a, 3), kind);
		}
		guest_ref(s, entry(GUEST_BASE, a, 2), kind);
	}
	guest_ref(s, entry(GUEST_BASE, a, 1), kind);
	host(s, a, kind);
}

/* gcc takes functions that only prefetch for ones that do nothing, and drops
 * the calls; an instruction of its own it keeps. */
static inline void fetch_line(const void *line)
{
	__asm__ volatile("prefetcht0 (%0)" : : "r"(line));
}

static inline void prefetch(struct state *s, u64 a, bool l2)
{
	fetch_line(s->l3[a >> 6 & (L3_SETS - 1)]);
	if (l2)
		fetch_line(s->l2[a >> 6 & 1023]);
}

static inline void prefetch_all(struct state *s, u64 a, bool nested)
{
	prefetch(s, a, true);
	prefetch(s, entry(GUEST_BASE, a, 1), false);
	if (nested)
		prefetch(s, entry(HOST_BASE, a, 1), false);
}

/* Always inlined, so that @nested and @kind are constants. */
static inline __attribute__((always_inline)) void replay(struct state *s,
							 const u64 *addr,
							 size_t n, bool nested,
							 enum limit_kind kind)
{
	u32 *caches[2] = {s->pde, s->pdpte};
	u64 last = ~0ull;

	for (size_t i = 0; i < n; i++) {
		u64 a = addr[i];

		if (a >> 6 == last)
			continue;
		last = a >> 6;
		prefetch_all(s, addr[i + AHEAD < n ? i + AHEAD : i], nested);
		if (!tlb1_hits(s, a, kind)) {
			s->count.l1_tlb++;
			if (!tlb2_hits(s, a)) {
				s->count.l2_tlb++;
				if (nested)
					walk_nested(s, a, kind);
				else
					walk_native(s, a, GUEST_BASE, caches,
						    kind);
			}
		}
		cache(s, a, kind);
	}
}

static void run(struct state *s, const u64 *addr, size_t n, bool nested,
		enum limit_kind kind)
{
	if (kind == LIMIT_MATRIX && nested)
		replay(s, addr, n, true, LIMIT_MATRIX);
	else if (kind == LIMIT_MATRIX)
		replay(s, addr, n, false, LIMIT_MATRIX);
	else if (nested)
		replay(s, addr, n, true, LIMIT_RECENCY);
	else
		replay(s, addr, n, false, LIMIT_RECENCY);
}

int limit_walk(const u64 *addr, size_t n, bool nested, enum limit_kind kind,
	       struct limit_counts *out)
{
	struct state *s = aligned_alloc(64, sizeof(*s));
	void *l3 = aligned_alloc(HUGE_PAGE, L3_SETS * sizeof(*s->l3));
	int status = -1;

	if (s && l3 && __builtin_cpu_supports("avx512vl")) {
		(void)madvise(l3, HUGE_PAGE, MADV_HUGEPAGE);
		s->l3 = l3;
		make_tables(&s->table);
		reset(s);
		run(s, addr, n, nested, kind);
		*out = s->count;
		status = 0;
	}
	free(s);
	free(l3);
	return status;
}
