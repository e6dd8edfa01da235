/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A multiboot-1 payload that runs as L1 instead of Linux: the payloads of
 * guest/ and Xen (ELF32), or this hypervisor again, whose multiboot header says
 * where it goes.
 *
 * payload_check() looks at the file, payload_place() compares its plan with
 * the memory that L1 gets, payload_fill() writes the information block. It
 * starts at plan.entry in protected mode without paging, EAX =
 * MULTIBOOT1_MAGIC, EBX = the block's address. Returns are 0, or negative
 * with the reason in *why.
 */
#pragma once

#include "hv/boot/bootinfo.h"
#include "hv/boot/plan.h"

struct payload {
	bool align_modules; /* it wants modules to start on pages */
	struct plan plan;
};

/* What the payload is told. */
struct payload_boot {
	const char *cmdline;
	const struct boot_module *module; /* where they are when it starts */
	size_t n_modules;
	const struct mem_map *map;
};

/* True if the file has a multiboot header, so it is no Linux kernel. */
bool payload_is(const void *file, u64 size);

int payload_check(struct payload *l, const void *file, u64 size,
		  const char **why);
int payload_place(const struct payload *l, const struct mem_map *map,
		  const struct mem_range *busy, size_t n_busy,
		  const char **why);

/* The block for the payload, to be placed at @pa. */
struct payload_block {
	u8 *to;
	size_t size; /* of the buffer */
	u64 pa;	     /* a multiple of 8 */
};

/* Returns the number of bytes it wrote. */
int payload_fill(const struct payload *l, const struct payload_block *block,
		 const struct payload_boot *boot, const char **why);
