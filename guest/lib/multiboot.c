/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/multiboot.h"

#define HAS_MEMORY  0x1
#define HAS_CMDLINE 0x4
#define HAS_MMAP    0x40
#define MIB	    (1ull << 20)

/* The start of the block, Multiboot 0.6.96 section 3.3. */
struct multiboot_info {
	u32 flags;
	u32 mem_lower; /* KiB */
	u32 mem_upper; /* KiB above 1 MiB, up to the first hole */
	u32 boot_device;
	u32 cmdline; /* physical address */
	u32 unused_0x14[6];
	u32 mmap_length;
	u32 mmap_addr;
};
ASSERT_OFFSET(multiboot_info, cmdline, 16);
ASSERT_OFFSET(multiboot_info, mmap_length, 44);

struct multiboot_mmap {
	u32 size; /* of what follows */
	u64 start;
	u64 length;
	u32 type;
} __attribute__((packed));
ASSERT_SIZE(multiboot_mmap, 24);

static char saved_cmdline[CMDLINE_MAX];
static u64 ram_end;
static struct multiboot_range ranges[MULTIBOOT_RANGES];
static unsigned n_ranges;

static void save_map(u64 at, u64 end)
{
	while (at < end && n_ranges < MULTIBOOT_RANGES) {
		const struct multiboot_mmap *e = (const void *)at;

		ranges[n_ranges++] = (struct multiboot_range){
			e->start, e->start + e->length, e->type};
		at += e->size + sizeof(e->size);
	}
}

const char *multiboot_save(u32 at)
{
	const struct multiboot_info *info = (const void *)(uintptr_t)at;
	const char *line = (const void *)(uintptr_t)info->cmdline;

	if (info->flags & HAS_MEMORY)
		ram_end = MIB + info->mem_upper * 1024ull;
	if (info->flags & HAS_CMDLINE)
		for (size_t i = 0; i < CMDLINE_MAX - 1 && line[i]; i++)
			saved_cmdline[i] = line[i];
	if (info->flags & HAS_MMAP)
		save_map(info->mmap_addr,
			 (u64)info->mmap_addr + info->mmap_length);
	return saved_cmdline;
}

const struct multiboot_range *multiboot_range(unsigned i)
{
	return i < n_ranges ? &ranges[i] : NULL;
}

u64 multiboot_ram_end(void)
{
	return ram_end;
}
