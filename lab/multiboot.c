/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/multiboot.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEARCH 8192 /* the header lies within these first bytes */
#define MAGIC  0x1badb002u

#define HAS_ADDRESSES (1u << 16) /* of its flags: section 3.1.2 */

static uint32_t word(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static const unsigned char *find_header(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i + 12 <= size; i += 4) {
		const unsigned char *at = bytes + i;

		if (word(at) == MAGIC &&
		    word(at) + word(at + 4) + word(at + 8) == 0)
			return at;
	}
	return NULL;
}

/* Every loadable segment must lie in the file. */
static const char *segments_flaw(const unsigned char *bytes, size_t size,
				 size_t file_size)
{
	Elf32_Ehdr elf;
	Elf32_Phdr ph;

	memcpy(&elf, bytes, sizeof(elf));
	if (elf.e_phentsize != sizeof(ph) || !elf.e_phnum)
		return "a broken ELF: no program headers";
	for (size_t i = 0; i < elf.e_phnum; i++) {
		size_t at = elf.e_phoff + i * sizeof(ph);

		if (at + sizeof(ph) > size)
			return "a broken ELF: program headers out of reach";
		memcpy(&ph, bytes + at, sizeof(ph));
		if (ph.p_type == PT_LOAD &&
		    (uint64_t)ph.p_offset + ph.p_filesz > file_size)
			return "a truncated ELF";
	}
	return NULL;
}

const char *multiboot_flaw(const unsigned char *bytes, size_t size,
			   size_t file_size)
{
	const unsigned char *header = find_header(bytes, size);

	if (header && word(header + 4) & HAS_ADDRESSES)
		return NULL;
	if (size < sizeof(Elf32_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (bytes[EI_CLASS] != ELFCLASS32 || bytes[EI_DATA] != ELFDATA2LSB ||
	    word(bytes + 16) >> 16 != EM_386)
		return "not an ELF32 for x86 (64-bit code goes into one by "
		       "`objcopy -O elf32-i386`)";
	if (!header)
		return "an ELF without a multiboot header";
	return segments_flaw(bytes, size, file_size);
}

int multiboot_check(const char *path, struct err *err)
{
	unsigned char bytes[SEARCH];
	struct stat st;
	const char *flaw;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && !fstat(fd, &st))
		n = read(fd, bytes, sizeof(bytes));
	if (n < 0) {
		err_set(err, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	flaw = multiboot_flaw(bytes, (size_t)n, (size_t)st.st_size);
	return flaw ? err_set(err, "%s: %s", path, flaw) : 0;
}
