/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formats of the Multiboot Specification 0.6.96: what an image says
 * (section 3.1) and what the loader tells it (section 3.3). The hypervisor
 * reads the latter (bootinfo.h) and, as a loader, writes it (payload.h).
 */
#pragma once

#include "lib/types.h"

#define MULTIBOOT1_MAGIC 0x2badb002u /* in EAX when the image starts */

/* In the image, 4-byte aligned, whole in the first 8 KiB. */
struct mb1_header {
	u32 magic;
	u32 flags;
	u32 checksum; /* the three add up to 0 */
} __attribute__((packed));
ASSERT_SIZE(mb1_header, 12);

/* Behind it, if MB1_ADDRESSES is set; counts instead of any ELF header. */
struct mb1_addresses {
	u32 header;
	u32 load;
	u32 load_end; /* 0: the end of the file */
	u32 bss_end;  /* 0: there is no bss */
	u32 entry;
} __attribute__((packed));
ASSERT_SIZE(mb1_addresses, 20);

#define MB1_HEADER_MAGIC  0x1badb002u
#define MB1_HEADER_AREA	  8192
/* Flags of the header. A loader must know all of the lower 16. */
#define MB1_ALIGN_MODULES 0x00000001u
#define MB1_WANT_MEMORY	  0x00000002u
#define MB1_MUST_KNOW	  0x0000ffffu
#define MB1_ADDRESSES	  0x00010000u

struct mb1_info {
	u32 flags;
	u32 mem_lower; /* KiB */
	u32 mem_upper; /* KiB above 1 MiB, up to the first hole */
	u32 boot_device;
	u32 cmdline;
	u32 mods_count;
	u32 mods_addr;
	u32 syms[4];
	u32 mmap_length; /* bytes */
	u32 mmap_addr;
	u32 drives_length;
	u32 drives_addr;
	u32 config_table;
	u32 loader_name;
} __attribute__((packed));
ASSERT_OFFSET(mb1_info, cmdline, 16);
ASSERT_OFFSET(mb1_info, mmap_length, 44);
ASSERT_OFFSET(mb1_info, loader_name, 64);

/* Flags of the block: which fields are valid. */
#define MB1_MEMORY  0x001
#define MB1_CMDLINE 0x004
#define MB1_MODULES 0x008
#define MB1_MMAP    0x040
#define MB1_LOADER  0x200

struct mb1_module {
	u32 start;
	u32 end;
	u32 cmdline;
	u32 reserved;
} __attribute__((packed));
ASSERT_SIZE(mb1_module, 16);

struct mb1_mmap {
	u32 size; /* of what follows */
	u64 start;
	u64 length;
	u32 type;
} __attribute__((packed));
ASSERT_SIZE(mb1_mmap, 24);
