/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nbt/pack.h"

#include <string.h>

#include "lib/nbt/encode.h"

/* Level 1 decompresses as fast as any and is the one that keeps up with the
 * recorders. */
#define ZSTD_LEVEL 1

/* Physical addresses lie next to nothing, but their pages' distance from the
 * virtual ones is what stays while a page is used. */
static size_t pack_physical(struct nbt_pack *p, struct nbt_block_header *h,
			    u8 *out)
{
	u64 low = 0;
	unsigned shift;

	for (u32 i = 0; i < h->n; i++) {
		p->pa[i] -= p->addr[i];
		low |= p->pa[i];
	}
	shift = low & ((1u << NBT_PAGE_SHIFT) - 1) ? 0 : NBT_PAGE_SHIFT;
	h->flags |= shift ? NBT_PA_SHIFTED : 0;
	for (u32 i = 0; i < h->n; i++)
		p->pa[i] = (u64)((int64_t)p->pa[i] >> shift);
	h->pa_base = h->n ? p->pa[0] : 0;
	return nbt_encode_deltas(p->pa, h->n, p->scratch, h->pa_class, out);
}

/* All columns, one behind the other, to @start. */
static size_t pack_columns(struct nbt_pack *p, struct nbt_block_header *h,
			   u8 *start)
{
	u8 *out = start;
	u32 *length = h->length;

	memset(length, 0, sizeof(h->length));
	h->addr_base = h->n ? p->addr[0] : 0;
	length[NBT_COL_ADDR] = (u32)nbt_encode_deltas(p->addr, h->n, p->scratch,
						      h->addr_class, out);
	out += length[NBT_COL_ADDR];
	if (h->flags & NBT_HAS_PHYSICAL)
		length[NBT_COL_PA] = (u32)pack_physical(p, h, out);
	out += length[NBT_COL_PA];
	length[NBT_COL_KIND] =
		(u32)nbt_encode_bytes(p->kind, h->n, &h->kind_code, out);
	out += length[NBT_COL_KIND];
	length[NBT_COL_GAP] =
		(u32)nbt_encode_bytes(p->gap, h->n, &h->gap_code, out);
	out += length[NBT_COL_GAP];
	length[NBT_COL_RUNS] = h->runs * (u32)sizeof(struct nbt_run);
	memcpy(out, p->run, length[NBT_COL_RUNS]);
	out += length[NBT_COL_RUNS];
	length[NBT_COL_EVENTS] = (u32)p->event_bytes;
	memcpy(out, p->event, p->event_bytes);
	return (size_t)(out + p->event_bytes - start);
}

/* Compressed only if that saves a thirty-second: less is not worth the time
 * that every reader then takes. */
static size_t pack_zstd(struct nbt_pack *p, struct nbt_block_header *h, u8 *out)
{
	size_t size = pack_columns(p, h, p->plain), n;

	h->unpacked = (u32)size;
	h->codec = NBT_ZSTD;
	n = ZSTD_compressCCtx(p->zstd, out, size - size / 32, p->plain, size,
			      ZSTD_LEVEL);
	if (!ZSTD_isError(n))
		return n;
	h->codec = NBT_RAW;
	memcpy(out, p->plain, size);
	return size;
}

static size_t pack_raw(struct nbt_pack *p, struct nbt_block_header *h, u8 *out)
{
	size_t size = pack_columns(p, h, out);

	h->unpacked = (u32)size;
	h->codec = NBT_RAW;
	return size;
}

size_t nbt_pack_block(struct nbt_pack *p, struct nbt_block_header *h)
{
	u8 *payload = p->out + sizeof(*h);
	size_t stored =
		p->zstd ? pack_zstd(p, h, payload) : pack_raw(p, h, payload);

	h->stored = (u32)stored;
	h->sum = nbt_sum(payload, stored);
	h->header_sum = NBT_HEADER_SUM(h, header_sum);
	memcpy(p->out, h, sizeof(*h));
	return sizeof(*h) + stored;
}
