/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/boot/payload.h"

#include "hv/boot/elf.h"

#define KIB	 1024ull
#define MIB	 (1024 * KIB)
#define PAGE	 4096
#define BOOT_END (1ull << 32)

static const struct mb1_header *find_header(const u8 *file, u64 size)
{
	u64 end = size < MB1_HEADER_AREA ? size : MB1_HEADER_AREA;

	for (u64 at = 0; at + sizeof(struct mb1_header) <= end; at += 4) {
		const struct mb1_header *h = (const void *)(file + at);

		if (h->magic == MB1_HEADER_MAGIC &&
		    h->magic + h->flags + h->checksum == 0)
			return h;
	}
	return NULL;
}

bool payload_is(const void *file, u64 size)
{
	return find_header(file, size);
}

/*
 * ELF's entry is a virtual address, the payload starts without paging: it is
 * moved as the segment is that it lies in.
 */
static int add_segment(struct payload *l, const struct elf32_segment *s,
		       u32 entry, u64 size, const char **why)
{
	struct plan_segment to = {
		.dest = s->paddr,
		.offset = s->offset,
		.file_size = s->filesz,
		.mem_size = s->memsz,
	};

	if (s->type != ELF_LOAD)
		return 0;
	if (plan_add(&l->plan, &to, size, why) < 0)
		return -1;
	if (l->plan.high > BOOT_END)
		return refuse(why, "a segment reaches beyond 4 GiB");
	if (entry >= s->vaddr && entry - s->vaddr < s->filesz)
		l->plan.entry = (u64)s->paddr + (entry - s->vaddr);
	return 0;
}

static int check_segments(struct payload *l, const u8 *file, u64 size,
			  const char **why)
{
	const struct elf32_header *h = (const void *)file;
	const struct elf32_segment *s =
		elf_table(file, size, h->phoff, h->phnum * sizeof(*s));

	if (!s)
		return refuse(why, "the payload is cut off");
	for (size_t i = 0; i < h->phnum; i++)
		if (add_segment(l, &s[i], h->entry, size, why) < 0)
			return -1;
	if (!plan_has_entry(&l->plan))
		return refuse(why, "the payload's entry is not in the file");
	return 0;
}

/* The image says itself where it goes: one segment (section 3.1.3). */
static int check_addresses(struct payload *l, const u8 *file, u64 size,
			   const struct mb1_header *header, const char **why)
{
	u64 at = (u64)((const u8 *)header - file);
	const struct mb1_addresses *a = (const void *)(header + 1);
	struct plan_segment s;
	u64 end;

	if (size - at < sizeof(*header) + sizeof(*a))
		return refuse(why, "the payload is cut off");
	if (a->header < a->load || a->header - a->load > at ||
	    (a->load_end && a->load_end < a->load))
		return refuse(why, "the payload's addresses make no sense");
	s = (struct plan_segment){.dest = a->load,
				  .offset = at - (a->header - a->load)};
	s.file_size = a->load_end ? a->load_end - a->load : size - s.offset;
	end = a->load + s.file_size;
	if (a->bss_end && a->bss_end < end)
		return refuse(why, "the payload's addresses make no sense");
	s.mem_size = (a->bss_end ? a->bss_end : end) - a->load;
	if (plan_add(&l->plan, &s, size, why) < 0)
		return -1;
	l->plan.entry = a->entry;
	if (l->plan.high > BOOT_END)
		return refuse(why, "a segment reaches beyond 4 GiB");
	if (!plan_has_entry(&l->plan))
		return refuse(why, "the payload's entry is not in the file");
	return 0;
}

int payload_check(struct payload *l, const void *file, u64 size,
		  const char **why)
{
	const struct mb1_header *header = find_header(file, size);
	const struct elf32_header *h = file;

	__builtin_memset(l, 0, sizeof(*l));
	if (!header)
		return refuse(why, "the payload has no multiboot header");
	if (header->flags & MB1_MUST_KNOW &
	    ~(MB1_ALIGN_MODULES | MB1_WANT_MEMORY))
		return refuse(why, "the payload wants what we do not offer");
	l->align_modules = header->flags & MB1_ALIGN_MODULES;
	if (header->flags & MB1_ADDRESSES)
		return check_addresses(l, file, size, header, why);
	if (size < sizeof(*h) || h->magic != ELF_MAGIC)
		return refuse(why, "the payload is not an ELF file");
	if (h->format != ELF_32_LSB || h->machine != ELF_386 ||
	    h->type != ELF_EXEC || h->phentsize != sizeof(struct elf32_segment))
		return refuse(why, "the payload is not an ELF32 for x86");
	return check_segments(l, file, size, why);
}

int payload_place(const struct payload *l, const struct mem_map *map,
		  const struct mem_range *busy, size_t n_busy, const char **why)
{
	if (!plan_fits(&l->plan, map, busy, n_busy))
		return refuse(why, "the payload's memory is not free");
	return 0;
}

/* Appends to the block. */
struct writer {
	const struct payload_block *block;
	size_t used;
	bool failed; /* no room */
};

/* Returns the physical address, 8-byte aligned; 0 if there is no room. */
static u32 put(struct writer *w, const void *from, size_t n)
{
	size_t at = (w->used + 7) & ~(size_t)7;

	if (w->failed || at > w->block->size || w->block->size - at < n) {
		w->failed = true;
		return 0;
	}
	__builtin_memcpy(w->block->to + at, from, n);
	w->used = at + n;
	return (u32)(w->block->pa + at);
}

static u32 put_text(struct writer *w, const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return put(w, text, n + 1);
}

static int put_modules(struct writer *w, struct mb1_info *info,
		       const struct payload_boot *boot, const char **why)
{
	struct mb1_module list[BOOT_MODULES] = {0};

	if (boot->n_modules > BOOT_MODULES)
		return refuse(why, "there are too many modules");
	for (size_t i = 0; i < boot->n_modules; i++) {
		const struct boot_module *m = &boot->module[i];

		if (m->start >= BOOT_END || m->end >= BOOT_END)
			return refuse(why, "a module is above 4 GiB");
		list[i].start = (u32)m->start;
		list[i].end = (u32)m->end;
		list[i].cmdline = put_text(w, m->cmdline);
	}
	info->mods_count = (u32)boot->n_modules;
	info->mods_addr = put(w, list, boot->n_modules * sizeof(list[0]));
	return 0;
}

/* There are no gaps between the entries: put() aligns to 8, they have 24. */
static void put_map(struct writer *w, struct mb1_info *info,
		    const struct mem_map *map)
{
	info->mmap_addr = put(w, "", 0);
	info->mmap_length = (u32)(map->n * sizeof(struct mb1_mmap));
	for (size_t i = 0; i < map->n; i++) {
		struct mb1_mmap e = {
			.size = sizeof(e) - sizeof(e.size),
			.start = map->range[i].start,
			.length = map->range[i].end - map->range[i].start,
			.type = map->range[i].type,
		};

		put(w, &e, sizeof(e));
	}
}

/* The RAM that starts at 0 and at 1 MiB, for payloads that read no map. */
static void basic_memory(struct mb1_info *info, const struct mem_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct mem_range *r = &map->range[i];
		u64 end = r->end < BOOT_END ? r->end : BOOT_END;

		if (r->type != MEM_RAM)
			continue;
		if (!r->start)
			info->mem_lower = (u32)(end / KIB);
		if (r->start <= MIB && end > MIB)
			info->mem_upper = (u32)((end - MIB) / KIB);
	}
	if (info->mem_lower > 640)
		info->mem_lower = 640;
}

int payload_fill(const struct payload *l, const struct payload_block *block,
		 const struct payload_boot *boot, const char **why)
{
	struct mb1_info info = {.flags = MB1_MEMORY | MB1_CMDLINE |
					 MB1_MODULES | MB1_MMAP | MB1_LOADER};
	struct writer w = {.block = block};

	if (block->pa % 8 || block->pa >= BOOT_END ||
	    block->size > BOOT_END - block->pa)
		return refuse(why, "the boot block cannot be placed there");
	for (size_t i = 0; l->align_modules && i < boot->n_modules; i++)
		if (boot->module[i].start % PAGE)
			return refuse(why, "a module is not on a page");
	put(&w, &info, sizeof(info)); /* for its place */
	if (put_modules(&w, &info, boot, why) < 0)
		return -1;
	put_map(&w, &info, boot->map);
	info.cmdline = put_text(&w, boot->cmdline);
	info.loader_name = put_text(&w, "nestbox");
	basic_memory(&info, boot->map);
	if (w.failed)
		return refuse(why, "the boot block is too small");
	__builtin_memcpy(block->to, &info, sizeof(info));
	return (int)w.used;
}
