/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's mappings before its first instruction, from /proc/self/maps of
 * the emulator. The kernel puts the emulator and its libraries above
 * 0x550000000000 (two thirds of the address space); QEMU puts a program where
 * it wants to be or at 0x4000000000, far below.
 *
 * The emulator maps text without PROT_EXEC, since it only reads it. What is
 * executable, and where mappings have grown together for that reason, is taken
 * from the program headers.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/guest.h"
#include "capture/maps.h"

#define EMULATOR 0x500000000000ull
#define PAGE	 4096ull

static void put(const struct guest *g, u16 thread, const struct mapping *m,
		u64 to, int prot)
{
	u64 arg[4] = {m->from - g->base, to - m->from, (u64)prot,
		      (u64)m->flags};

	guest_event(g, thread, NBT_MAP, arg, m->path[0] ? m->path : NULL);
}

/* The segment of @path that begins first behind @offset or holds it: returns
 * where its executable part begins or ends, or 0. */
static u64 next_edge(int fd, const Elf64_Ehdr *h, u64 offset, bool *exec)
{
	u64 edge = 0;
	Elf64_Phdr p;

	*exec = false;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		if (pread(fd, &p, sizeof(p),
			  (off_t)(h->e_phoff + i * sizeof(p))) != sizeof(p))
			return 0;
		u64 from = p.p_offset & -PAGE;
		u64 to = (p.p_offset + p.p_filesz + PAGE - 1) & -PAGE;

		if (p.p_type != PT_LOAD || !(p.p_flags & PF_X))
			continue;
		if (offset >= from && offset < to) {
			*exec = true;
			return to;
		}
		if (from > offset && (!edge || from < edge))
			edge = from;
	}
	return edge;
}

/* In pieces, by what is executable. */
static void put_file(const struct guest *g, u16 thread, struct mapping *m)
{
	int fd = open(m->path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr h;
	bool exec = false;

	if (fd >= 0 && pread(fd, &h, sizeof(h), 0) == sizeof(h) &&
	    !memcmp(h.e_ident, ELFMAG, SELFMAG) &&
	    h.e_phentsize == sizeof(Elf64_Phdr))
		while (m->from < m->to) {
			u64 edge = next_edge(fd, &h, m->offset, &exec);
			u64 n = edge > m->offset ? edge - m->offset : ~0ull;

			if (n > m->to - m->from)
				n = m->to - m->from;
			put(g, thread, m, m->from + n,
			    m->prot | (exec ? PROT_EXEC : 0));
			m->from += n;
			m->offset += n;
		}
	if (m->from < m->to)
		put(g, thread, m, m->to, m->prot);
	if (fd >= 0)
		(void)close(fd);
}

void guest_map_initial(const struct guest *g, u16 thread)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[4096];
	struct mapping m;

	while (f && fgets(line, sizeof(line), f)) {
		if (!mapping_parse(line, &m) || m.from >= EMULATOR)
			continue;
		if (m.path[0] == '/' && !(m.prot & PROT_WRITE))
			put_file(g, thread, &m);
		else
			put(g, thread, &m, m.to, m.prot);
	}
	if (f)
		(void)fclose(f);
}
