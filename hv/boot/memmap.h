/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of physical memory, as the firmware gave it and as L1 will see it.
 *
 * A map's ranges are always sorted, not empty and disjoint; neighbours that
 * touch are of different type. memmap_add() and memmap_set() keep it so, and
 * an all-zero struct is an empty map. Ends are exclusive. Memory that no range
 * names is a hole: there may be devices in it.
 *
 * Functions that can fail return a negative number if the map would get too
 * many ranges; then it is unusable. Nothing here keeps state.
 */
#pragma once

#include "lib/types.h"

#define MEM_RANGES 128 /* as many as boot_params has entries */
#define MEM_NONE   (~0ull)

/* The numbers are those of e820 and multiboot. Others occur: reserved. */
enum mem_type {
	MEM_RAM = 1,
	MEM_RESERVED = 2,
	MEM_ACPI = 3,
	MEM_NVS = 4,
	MEM_BAD = 5,
};

struct mem_range {
	u64 start;
	u64 end;
	u32 type;
};

struct mem_map {
	struct mem_range range[MEM_RANGES];
	size_t n;
};

/* What somebody looks for: a piece of RAM that touches no busy range. */
struct mem_want {
	u64 size;		      /* not 0 */
	u64 align;		      /* a power of two */
	u64 min;		      /* first address allowed */
	u64 max;		      /* the piece ends here at the latest */
	const struct mem_range *busy; /* in any order, may overlap */
	size_t n_busy;
};

/* One entry of Linux's boot_params.e820_table. */
struct e820_entry {
	u64 start;
	u64 size;
	u32 type;
} __attribute__((packed));
ASSERT_SIZE(e820_entry, 20);

/*
 * Where the map says something else already, the higher type wins. Of these
 * four, none does anything if @end is not above @start.
 */
int memmap_add(struct mem_map *m, u64 start, u64 end, u32 type);

/* Makes [start, end) this type, whatever it was. */
int memmap_set(struct mem_map *m, u64 start, u64 end, u32 type);

/* Makes [start, end) a hole. */
int memmap_cut(struct mem_map *m, u64 start, u64 end);

/*
 * Takes a block that the hypervisor keeps for itself out of L1's RAM. It
 * becomes reserved and not a hole: an OS may put the BARs of devices into
 * holes, and would add them to memory that it can hotplug.
 */
int memmap_reserve(struct mem_map *m, u64 start, u64 end);

/* True if all of [start, end) is RAM. */
bool memmap_is_ram(const struct mem_map *m, u64 start, u64 end);

/* The highest or the lowest place for @w; MEM_NONE if there is none. */
u64 memmap_find_high(const struct mem_map *m, const struct mem_want *w);
u64 memmap_find_low(const struct mem_map *m, const struct mem_want *w);

/* Where the RAM at @at ends; @at if there is none. */
u64 memmap_ram_end(const struct mem_map *m, u64 at);

/* Bytes of RAM. */
u64 memmap_ram(const struct mem_map *m);

/* Returns the number of entries, negative if @max do not suffice. */
int memmap_e820(const struct mem_map *m, struct e820_entry *to, size_t max);
