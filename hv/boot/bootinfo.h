/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader says: multiboot 1 (0.6.96, section 3.3) and multiboot 2
 * (2.0, section 3.6) in one form. Called once, early; everything the
 * hypervisor needs later is copied, because the loader's blocks lie in
 * memory that becomes L1's.
 *
 * The modules' contents are not looked at, and where they lie is not compared
 * with the memory map: loaders put them into RAM only. Returns 0, or a
 * negative number with the reason in *why; *b is undefined then.
 */
#pragma once

#include "hv/boot/memmap.h"
#include "hv/boot/multiboot1.h"
#include "lib/phys.h"

#define MULTIBOOT2_MAGIC 0x36d76289u /* as MULTIBOOT1_MAGIC */

#define BOOT_MODULES	 8
#define BOOT_CMDLINE	 1024
#define BOOT_MODULE_LINE 512

struct boot_module {
	u64 start;
	u64 end; /* exclusive; not below start */
	char cmdline[BOOT_MODULE_LINE];
};

struct bootinfo {
	struct mem_map map; /* what is RAM and what is not */
	struct boot_module module[BOOT_MODULES];
	size_t n_modules;
	char cmdline[BOOT_CMDLINE]; /* QEMU puts the file's name first */
	/*
	 * The address of the RSDP, 0 if it has to be searched. Multiboot 2
	 * has a copy of it in its own block, so use it before L1 runs.
	 */
	u64 rsdp;
};

/* @magic and @info as the loader left them in EAX and EBX. */
int bootinfo_parse(struct bootinfo *b, const struct phys *p, u32 magic,
		   u64 info, const char **why);

/* Where the modules are, for a struct mem_want. @busy has room for BOOT_MODULES
 * ranges; returns how many there are, in the modules' order. */
size_t bootinfo_busy(const struct bootinfo *b, struct mem_range *busy);
