/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Linux/x86 boot protocol (Documentation/arch/x86/boot.rst) for the kernel
 * that becomes L1: a bzImage (protocol 2.10 or later) or an ELF64 vmlinux.
 *
 * In this order: linux_check() looks at the file, linux_place() decides where
 * it goes, linux_fill() writes the zero page. The kernel starts at plan.entry
 * with the zero page's address in RSI: in long mode with an identity mapping
 * if long_mode is set, else in protected mode without paging (ESI).
 *
 * Returns are 0, or negative with the reason in *why. Files are trusted to
 * be somebody's kernel, but not to be whole or honest about their sizes.
 */
#pragma once

#include "hv/boot/plan.h"

enum linux_kind {
	LINUX_BZIMAGE,
	LINUX_VMLINUX,
};

struct linux_image {
	enum linux_kind kind;
	bool long_mode; /* see above */
	bool relocatable;
	u64 alignment;	  /* of a relocatable kernel's address */
	u64 pref_address; /* where it wants to be */
	u64 init_size;	  /* RAM it uses from there before it reads e820 */
	u64 cmdline_size; /* longest command line, without NUL */
	u64 initrd_end;	  /* the initramfs must end here at the latest */
	u64 header_end;	  /* bzImage: end of the setup header in the file */
	struct plan plan; /* bzImage: without address until placed */
};

/* The setup header, at 0x1f1 of a bzImage and of the zero page. */
struct linux_header {
	u8 setup_sects;
	u16 root_flags;
	u32 syssize; /* of the protected-mode part, in 16 bytes */
	u16 ram_size;
	u16 vid_mode;
	u16 root_dev;
	u16 boot_flag;
	u8 jump;
	u8 jump_length; /* the header ends this far behind this field */
	u32 magic;
	u16 version;
	u32 realmode_swtch;
	u16 start_sys_seg;
	u16 kernel_version;
	u8 type_of_loader;
	u8 loadflags;
	u16 setup_move_size;
	u32 code32_start;
	u32 ramdisk_image;
	u32 ramdisk_size;
	u32 bootsect_kludge;
	u16 heap_end_ptr;
	u8 ext_loader_ver;
	u8 ext_loader_type;
	u32 cmd_line_ptr;
	u32 initrd_addr_max; /* of the initramfs's last byte */
	u32 kernel_alignment;
	u8 relocatable_kernel;
	u8 min_alignment;
	u16 xloadflags;
	u32 cmdline_size;
	u32 hardware_subarch;
	u64 hardware_subarch_data;
	u32 payload_offset;
	u32 payload_length;
	u64 setup_data;
	u64 pref_address;
	u32 init_size;
	u32 handover_offset; /* from 2.11 on */
	u32 kernel_info_offset;
} __attribute__((packed));
ASSERT_OFFSET(linux_header, boot_flag, 0x1fe - 0x1f1);
ASSERT_OFFSET(linux_header, magic, 0x202 - 0x1f1);
ASSERT_OFFSET(linux_header, cmd_line_ptr, 0x228 - 0x1f1);
ASSERT_OFFSET(linux_header, pref_address, 0x258 - 0x1f1);
ASSERT_OFFSET(linux_header, handover_offset, 0x264 - 0x1f1);
ASSERT_SIZE(linux_header, 0x26c - 0x1f1);

/* The zero page; what we leave at 0 is padding here. */
struct linux_params {
	u8 unused_0x000[0x70];
	u64 acpi_rsdp_addr;
	u8 unused_0x078[0x1e8 - 0x78];
	u8 e820_entries;
	u8 unused_0x1e9[0x1f1 - 0x1e9];
	struct linux_header header;
	u8 unused_0x26c[0x2d0 - 0x26c];
	struct e820_entry e820_table[128];
	u8 unused_0xcd0[0x1000 - 0xcd0];
} __attribute__((packed));
ASSERT_OFFSET(linux_params, acpi_rsdp_addr, 0x070);
ASSERT_OFFSET(linux_params, e820_entries, 0x1e8);
ASSERT_OFFSET(linux_params, header, 0x1f1);
ASSERT_OFFSET(linux_params, e820_table, 0x2d0);
ASSERT_SIZE(linux_params, 0x1000);

/* What L1 is told. All of it must lie below 4 GiB. */
struct linux_boot {
	u64 cmdline; /* address of the text, 0 if there is none */
	u64 cmdline_length;
	u64 initrd; /* address, with size 0 if there is none */
	u64 initrd_size;
	u64 rsdp; /* 0: Linux searches it */
	const struct mem_map *map;
};

int linux_check(struct linux_image *im, const void *file, u64 size,
		const char **why);

/*
 * Chooses the address of a relocatable kernel, checks that of another.
 * @map is L1's, without the hypervisor's block; the kernel will touch no busy
 * range. Below 4 GiB in any case.
 */
int linux_place(struct linux_image *im, const struct mem_map *map,
		const struct mem_range *busy, size_t n_busy, const char **why);

/* @file as in linux_check(), after linux_place(). */
int linux_fill(struct linux_params *p, const struct linux_image *im,
	       const void *file, const struct linux_boot *boot,
	       const char **why);
