/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of records without context: addresses alone, and ChampSim's. */
#include "capture/import_format.h"

#define RAW_STORE (1ull << 63)

/* 8 bytes each; bit 63 is set in a store's. There are no instructions: each
 * access is one. */
static int run_raw(struct import *im)
{
	u64 addr;
	int more;

	while ((more = import_next(im, &addr, sizeof(addr))) > 0) {
		im->since = 1;
		if (!import_access(im, addr & RAW_STORE ? NBT_STORE : NBT_LOAD,
				   addr & ~RAW_STORE, 8))
			break;
	}
	return more < 0 ? -1 : 0;
}

/* ChampSim's input_instr: one instruction. An address of 0 is none. */
struct champsim_record {
	u64 ip;
	u8 is_branch, taken;
	u8 to_register[2], from_register[4];
	u64 to_memory[2], from_memory[4];
};
ASSERT_SIZE(champsim_record, 64);

static bool some(struct import *im, enum nbt_access what, const u64 *addr,
		 size_t n)
{
	bool more = true;

	for (size_t i = 0; i < n && more; i++)
		if (addr[i])
			more = import_access(im, what, addr[i], 8);
	return more;
}

static int run_champsim(struct import *im)
{
	struct champsim_record r;
	int more;

	while ((more = import_next(im, &r, sizeof(r))) > 0) {
		if (r.is_branch > 1 || r.taken > 1)
			return import_bad(im, "not one of ChampSim's "
					      "input_instr");
		im->since++;
		if (!some(im, NBT_LOAD, r.from_memory,
			  ARRAY_SIZE(r.from_memory)) ||
		    !some(im, NBT_STORE, r.to_memory, ARRAY_SIZE(r.to_memory)))
			break;
	}
	return more < 0 ? -1 : 0;
}

const struct import_format import_raw = {"raw", "record", run_raw};
const struct import_format import_champsim = {"champsim", "record",
					      run_champsim};
