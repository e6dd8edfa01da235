/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/multiboot.h"

#define HAS_MEMORY  0x1
#define HAS_CMDLINE 0x4
#define MIB	    (1ull << 20)

/* The start of the block, Multiboot 0.6.96 section 3.3. */
struct multiboot_info {
	u32 flags;
	u32 mem_lower; /* KiB */
	u32 mem_upper; /* KiB above 1 MiB, up to the first hole */
	u32 boot_device;
	u32 cmdline; /* physical address */
};
ASSERT_OFFSET(multiboot_info, cmdline, 16);

static char saved_cmdline[CMDLINE_MAX];
static u64 ram_end;

const char *multiboot_save(u32 at)
{
	const struct multiboot_info *info = (const void *)(uintptr_t)at;
	const char *line = (const void *)(uintptr_t)info->cmdline;

	if (info->flags & HAS_MEMORY)
		ram_end = MIB + info->mem_upper * 1024ull;
	if (info->flags & HAS_CMDLINE)
		for (size_t i = 0; i < CMDLINE_MAX - 1 && line[i]; i++)
			saved_cmdline[i] = line[i];
	return saved_cmdline;
}

u64 multiboot_ram_end(void)
{
	return ram_end;
}
