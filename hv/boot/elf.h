/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of ELF as a loader of programs needs (System V ABI, chapters 4 and
 * 5): ELF64 of a vmlinux (linux.h), ELF32 of a payload (payload.h). Packed,
 * because nothing makes a file align its tables. Pure.
 */
#pragma once

#include "lib/types.h"

#define ELF_MAGIC  0x464c457f
#define ELF_32_LSB 0x0101 /* class, byte order */
#define ELF_64_LSB 0x0102
#define ELF_EXEC   2
#define ELF_386	   3
#define ELF_X86_64 62
#define ELF_LOAD   1

struct elf32_header {
	u32 magic;
	u16 format;
	u8 ident[10];
	u16 type;
	u16 machine;
	u32 version;
	u32 entry;
	u32 phoff;
	u32 shoff;
	u32 flags;
	u16 ehsize;
	u16 phentsize;
	u16 phnum;
	u16 shentsize;
	u16 shnum;
	u16 shstrndx;
} __attribute__((packed));
ASSERT_OFFSET(elf32_header, entry, 24);
ASSERT_OFFSET(elf32_header, phentsize, 42);
ASSERT_SIZE(elf32_header, 52);

struct elf32_segment {
	u32 type;
	u32 offset;
	u32 vaddr;
	u32 paddr;
	u32 filesz;
	u32 memsz;
	u32 flags;
	u32 align;
} __attribute__((packed));
ASSERT_OFFSET(elf32_segment, memsz, 20);
ASSERT_SIZE(elf32_segment, 32);

struct elf64_header {
	u32 magic;
	u16 format;
	u8 ident[10];
	u16 type;
	u16 machine;
	u32 version;
	u64 entry;
	u64 phoff;
	u64 shoff;
	u32 flags;
	u16 ehsize;
	u16 phentsize;
	u16 phnum;
	u16 shentsize;
	u16 shnum;
	u16 shstrndx;
} __attribute__((packed));
ASSERT_OFFSET(elf64_header, entry, 24);
ASSERT_OFFSET(elf64_header, phentsize, 54);
ASSERT_SIZE(elf64_header, 64);

struct elf64_segment {
	u32 type;
	u32 flags;
	u64 offset;
	u64 vaddr;
	u64 paddr;
	u64 filesz;
	u64 memsz;
	u64 align;
} __attribute__((packed));
ASSERT_OFFSET(elf64_segment, paddr, 24);
ASSERT_SIZE(elf64_segment, 56);

/* The table of @n bytes at @offset of the file; NULL if it is cut off. */
static inline const void *elf_table(const void *file, u64 size, u64 offset,
				    u64 n)
{
	if (offset > size || n > size - offset)
		return NULL;
	return (const u8 *)file + offset;
}
