/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/boot/linux.h"

#include "hv/boot/elf.h"

#define GIB	 (1ull << 30)
#define SECTOR	 512ull
#define BOOT_END (4 * GIB) /* addresses in the header have 32 bits */

#define HEADER_AT      0x1f1
#define HEADER_MAGIC   0x53726448 /* "HdrS" */
#define HEADER_VERSION 0x020a	  /* the first with init_size */
#define HEADER_64      0x020c	  /* the first with xloadflags */
#define HEADER_ROOM    0x290	  /* where the zero page goes on */
#define HEADER_MIN     0x264	  /* 2.10 has it up to here */
#define JUMP_END       0x202

#define BOOT_FLAG   0xaa55
#define LOADED_HIGH 0x01
#define KERNEL_64   0x0001 /* xloadflags: has the entry of long mode */
#define ENTRY_64    0x200
#define LOADER_NONE 0xff /* type_of_loader: one without a number */

/* What a vmlinux does not say, from the sources of Linux. */
#define VMLINUX_CMDLINE	   2047
#define VMLINUX_INITRD_MAX 0x7fffffff

ASSERT_OFFSET(linux_header, handover_offset, HEADER_MIN - HEADER_AT);

static bool is_power_of_2(u64 n)
{
	return n && !(n & (n - 1));
}

static int check_header(const struct linux_header *h, const char **why)
{
	if (h->boot_flag != BOOT_FLAG || h->version < HEADER_VERSION)
		return refuse(why, "the bzImage is too old: protocol < 2.10");
	if (JUMP_END + (size_t)h->jump_length < HEADER_MIN)
		return refuse(why, "the bzImage's header is cut off");
	if (!(h->loadflags & LOADED_HIGH))
		return refuse(why, "the kernel is a zImage, not a bzImage");
	if (h->relocatable_kernel && !is_power_of_2(h->kernel_alignment))
		return refuse(why, "the bzImage's alignment is no power of 2");
	if (!h->syssize || !h->init_size)
		return refuse(why, "the bzImage says it is empty");
	return 0;
}

static int check_bzimage(struct linux_image *im, const u8 *file, u64 size,
			 const char **why)
{
	const struct linux_header *h = (const void *)(file + HEADER_AT);
	u64 sectors = h->setup_sects ? h->setup_sects : 4;
	u64 offset = (sectors + 1) * SECTOR;

	if (check_header(h, why) < 0)
		return -1;
	im->header_end = JUMP_END + (u64)h->jump_length;
	if (im->header_end > HEADER_ROOM)
		im->header_end = HEADER_ROOM;
	if (size < im->header_end || size < offset ||
	    size - offset < h->syssize * 16ull)
		return refuse(why, "the bzImage is cut off");
	im->kind = LINUX_BZIMAGE;
	im->long_mode = h->version >= HEADER_64 && h->xloadflags & KERNEL_64;
	im->relocatable = h->relocatable_kernel;
	im->alignment = im->relocatable ? h->kernel_alignment : 1;
	im->pref_address = h->pref_address;
	im->init_size = h->init_size;
	im->cmdline_size = h->cmdline_size;
	im->initrd_end = h->initrd_addr_max + 1ull;
	/* Signatures may follow; they are loaded too, as others do. */
	im->plan.segment[0].offset = offset;
	im->plan.segment[0].file_size = size - offset;
	if (im->init_size < size - offset)
		im->init_size = size - offset;
	return 0;
}

static int check_segments(struct linux_image *im, const u8 *file, u64 size,
			  const char **why)
{
	const struct elf64_header *h = (const void *)file;
	const struct elf64_segment *s =
		elf_table(file, size, h->phoff, h->phnum * sizeof(*s));

	if (!s)
		return refuse(why, "the vmlinux is cut off");
	for (size_t i = 0; i < h->phnum; i++) {
		struct plan_segment to = {
			.dest = s[i].paddr,
			.offset = s[i].offset,
			.file_size = s[i].filesz,
			.mem_size = s[i].memsz,
		};

		if (s[i].type == ELF_LOAD &&
		    plan_add(&im->plan, &to, size, why) < 0)
			return -1;
	}
	return 0;
}

static int check_vmlinux(struct linux_image *im, const u8 *file, u64 size,
			 const char **why)
{
	const struct elf64_header *h = (const void *)file;

	if (h->format != ELF_64_LSB || h->machine != ELF_X86_64)
		return refuse(why, "the ELF file is not for x86-64");
	if (h->type != ELF_EXEC || h->phentsize != sizeof(struct elf64_segment))
		return refuse(why, "the ELF file is not a kernel");
	if (check_segments(im, file, size, why) < 0)
		return -1;
	if (!im->plan.n)
		return refuse(why, "the vmlinux has nothing to load");
	im->plan.entry = h->entry;
	im->kind = LINUX_VMLINUX;
	im->long_mode = true;
	im->alignment = 1;
	im->pref_address = im->plan.low;
	im->init_size = im->plan.high - im->plan.low;
	im->cmdline_size = VMLINUX_CMDLINE;
	im->initrd_end = VMLINUX_INITRD_MAX + 1ull;
	return 0;
}

int linux_check(struct linux_image *im, const void *file, u64 size,
		const char **why)
{
	const struct elf64_header *elf = file;
	const struct linux_header *h;

	__builtin_memset(im, 0, sizeof(*im));
	if (size >= sizeof(*elf) && elf->magic == ELF_MAGIC)
		return check_vmlinux(im, file, size, why);
	if (size < HEADER_MIN)
		return refuse(why, "the kernel is too short");
	h = (const void *)((const u8 *)file + HEADER_AT);
	if (h->magic != HEADER_MAGIC)
		return refuse(why, "the kernel is neither bzImage nor ELF");
	return check_bzimage(im, file, size, why);
}

/*
 * Linux uses what lies between a vmlinux's segments, too: all of init_size has
 * to be free. A relocatable kernel that is loaded below its preferred address
 * unpacks itself to that address anyway, so it is never put there.
 */
static u64 find_place(const struct linux_image *im, const struct mem_map *map,
		      const struct mem_range *busy, size_t n_busy)
{
	struct mem_want w = {
		.size = im->init_size,
		.align = 1,
		.min = im->pref_address,
		.max = im->pref_address + im->init_size,
		.busy = busy,
		.n_busy = n_busy,
	};
	u64 at = memmap_find_low(map, &w);

	if (at != MEM_NONE || !im->relocatable)
		return at;
	w.align = im->alignment;
	w.max = BOOT_END;
	return memmap_find_low(map, &w);
}

int linux_place(struct linux_image *im, const struct mem_map *map,
		const struct mem_range *busy, size_t n_busy, const char **why)
{
	u64 at = find_place(im, map, busy, n_busy);

	if (at == MEM_NONE)
		return refuse(why, "no memory is free for the kernel");
	if (im->kind == LINUX_BZIMAGE) {
		struct plan_segment s = im->plan.segment[0];

		s.dest = at;
		s.mem_size = im->init_size;
		im->plan = (struct plan){
			.entry = at + (im->long_mode ? ENTRY_64 : 0)};
		if (plan_add(&im->plan, &s, s.offset + s.file_size, why) < 0)
			return -1;
	}
	if (!plan_has_entry(&im->plan))
		return refuse(why, "the kernel's entry is not in the file");
	if (im->plan.high > BOOT_END)
		return refuse(why, "the kernel wants to be above 4 GiB");
	return 0;
}

/* The header that a vmlinux would have if it were a bzImage. */
static void make_header(struct linux_header *h, const struct linux_image *im)
{
	h->boot_flag = BOOT_FLAG;
	h->magic = HEADER_MAGIC;
	h->version = HEADER_64;
	h->loadflags = LOADED_HIGH;
	h->xloadflags = KERNEL_64;
	h->kernel_alignment = 2 << 20;
	h->initrd_addr_max = (u32)(im->initrd_end - 1);
	h->cmdline_size = (u32)im->cmdline_size;
	h->pref_address = im->pref_address;
	h->init_size = (u32)im->init_size;
}

static int check_boot(const struct linux_image *im,
		      const struct linux_boot *boot, const char **why)
{
	u64 limit = im->initrd_end < BOOT_END ? im->initrd_end : BOOT_END;

	if (boot->cmdline_length > im->cmdline_size)
		return refuse(why, "the command line is too long for Linux");
	if (boot->cmdline >= BOOT_END)
		return refuse(why, "the command line is above 4 GiB");
	if (boot->initrd_size && (boot->initrd_size > limit ||
				  boot->initrd > limit - boot->initrd_size))
		return refuse(why, "the initramfs is too high for Linux");
	return 0;
}

int linux_fill(struct linux_params *p, const struct linux_image *im,
	       const void *file, const struct linux_boot *boot,
	       const char **why)
{
	struct linux_header *h = &p->header;
	int n;

	if (check_boot(im, boot, why) < 0)
		return -1;
	__builtin_memset(p, 0, sizeof(*p));
	if (im->kind == LINUX_BZIMAGE)
		__builtin_memcpy((u8 *)p + HEADER_AT,
				 (const u8 *)file + HEADER_AT,
				 im->header_end - HEADER_AT);
	else
		make_header(h, im);
	h->type_of_loader = LOADER_NONE;
	h->code32_start = (u32)im->plan.low;
	h->cmd_line_ptr = (u32)boot->cmdline;
	h->ramdisk_image = boot->initrd_size ? (u32)boot->initrd : 0;
	h->ramdisk_size = (u32)boot->initrd_size;
	p->acpi_rsdp_addr = boot->rsdp;
	n = memmap_e820(boot->map, p->e820_table, ARRAY_SIZE(p->e820_table));
	if (n < 0)
		return refuse(why, "the memory map has too many ranges");
	p->e820_entries = (u8)n;
	return 0;
}
