/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/boot/bootinfo.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

/* Tags of multiboot 2. */
enum {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY = 4,
	TAG_MMAP = 6,
	TAG_RSDP_OLD = 14,
	TAG_RSDP_NEW = 15,
};

#define BLOCK_MAX MIB /* GRUB's has a few KiB */
#define RSDP_OLD  20
#define RSDP_NEW  36

struct mb2_info {
	u32 total_size;
	u32 reserved;
} __attribute__((packed));
ASSERT_SIZE(mb2_info, 8);

struct mb2_tag {
	u32 type;
	u32 size; /* with this header, without the padding to 8 bytes */
	u8 body[];
} __attribute__((packed));
ASSERT_SIZE(mb2_tag, 8);

struct mb2_module {
	u32 start;
	u32 end;
	char cmdline[];
} __attribute__((packed));
ASSERT_SIZE(mb2_module, 8);

struct mb2_memory {
	u32 lower;
	u32 upper;
} __attribute__((packed));
ASSERT_SIZE(mb2_memory, 8);

struct mb2_mmap {
	u32 entry_size;
	u32 entry_version;
	u8 entries[];
} __attribute__((packed));
ASSERT_SIZE(mb2_mmap, 8);

struct mb2_mmap_entry {
	u64 start;
	u64 length;
	u32 type;
	u32 reserved;
} __attribute__((packed));
ASSERT_SIZE(mb2_mmap_entry, 24);

/* What both parsers pass around. */
struct parser {
	struct bootinfo *b;
	const struct phys *p;
	const char **why;
	u64 at;	   /* multiboot 2: address of the tag's body */
	u32 lower; /* KiB, used if there is no map */
	u32 upper;
};

static int add_range(struct parser *s, u64 start, u64 length, u32 type)
{
	u64 end = start + length < start ? ~0ull : start + length;

	/* 0 is no type; it must not lose against RAM. */
	if (memmap_add(&s->b->map, start, end, type ? type : MEM_RESERVED) < 0)
		return refuse(s->why, "the memory map has too many ranges");
	return 0;
}

/* For loaders that give no map: what there is below and above 1 MiB. */
static int add_basic_memory(struct parser *s)
{
	u64 lower = s->lower * KIB;

	if (s->b->map.n)
		return 0;
	if (!s->upper)
		return refuse(s->why, "the loader gives no memory map");
	if (lower > 640 * KIB)
		lower = 640 * KIB;
	if (add_range(s, 0, lower, MEM_RAM) < 0)
		return -1;
	return add_range(s, MIB, s->upper * KIB, MEM_RAM);
}

/* Returns the module's place for a command line of BOOT_MODULE_LINE. */
static char *add_module(struct parser *s, u32 start, u32 end)
{
	struct boot_module *m = &s->b->module[s->b->n_modules];

	if (s->b->n_modules == BOOT_MODULES) {
		*s->why = "there are too many modules";
		return NULL;
	}
	if (end < start) {
		*s->why = "a module ends before it starts";
		return NULL;
	}
	s->b->n_modules++;
	m->start = start;
	m->end = end;
	return m->cmdline;
}

/* Copies a text that ends somewhere; the loader does not say where. */
static int copy_line(struct parser *s, u64 pa, char *to, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const char *c = phys_map(s->p, pa + i, 1);

		if (!c)
			return refuse(s->why, "a command line is unreadable");
		to[i] = *c;
		if (!*c)
			return 0;
	}
	return refuse(s->why, "a command line is too long");
}

static int mb1_modules(struct parser *s, const struct mb1_info *info)
{
	for (u32 i = 0; i < info->mods_count; i++) {
		u64 at = info->mods_addr + (u64)i * sizeof(struct mb1_module);
		const struct mb1_module *m = phys_map(s->p, at, sizeof(*m));
		char *line;

		if (!m)
			return refuse(s->why, "the module list is unreadable");
		line = add_module(s, m->start, m->end);
		if (!line)
			return -1;
		if (m->cmdline &&
		    copy_line(s, m->cmdline, line, BOOT_MODULE_LINE) < 0)
			return -1;
	}
	return 0;
}

/* Entries have a size of their own and are not aligned. */
static int mb1_mmap(struct parser *s, const struct mb1_info *info)
{
	u64 at = info->mmap_addr, end = at + info->mmap_length;

	if (info->mmap_length > BLOCK_MAX)
		return refuse(s->why, "the memory map has an absurd size");
	while (at < end) {
		const struct mb1_mmap *e = phys_map(s->p, at, sizeof(*e));

		if (!e || end - at < sizeof(*e))
			return refuse(s->why, "the memory map is cut off");
		if (e->size < sizeof(*e) - sizeof(e->size))
			return refuse(s->why, "the memory map is garbage");
		if (add_range(s, e->start, e->length, e->type) < 0)
			return -1;
		at += sizeof(e->size) + (u64)e->size;
	}
	return 0;
}

static int mb1_parse(struct parser *s, u64 at)
{
	const struct mb1_info *info =
		phys_map(s->p, at, offsetof(struct mb1_info, drives_length));

	if (!info)
		return refuse(s->why, "the loader's block is unreadable");
	if (info->flags & MB1_MEMORY) {
		s->lower = info->mem_lower;
		s->upper = info->mem_upper;
	}
	if (info->flags & MB1_CMDLINE && info->cmdline &&
	    copy_line(s, info->cmdline, s->b->cmdline, BOOT_CMDLINE) < 0)
		return -1;
	if (info->flags & MB1_MODULES && mb1_modules(s, info) < 0)
		return -1;
	if (info->flags & MB1_MMAP && mb1_mmap(s, info) < 0)
		return -1;
	return add_basic_memory(s);
}

/* Copies a text whose place in a tag is known. */
static int take_line(struct parser *s, const char *from, size_t left, char *to,
		     size_t size)
{
	for (size_t i = 0; i < left && i < size; i++) {
		to[i] = from[i];
		if (!from[i])
			return 0;
	}
	if (left < size)
		return refuse(s->why, "a command line does not end");
	return refuse(s->why, "a command line is too long");
}

static int mb2_module(struct parser *s, const void *body, size_t left)
{
	const struct mb2_module *m = body;
	char *line;

	if (left < sizeof(*m))
		return refuse(s->why, "a module's tag is too short");
	line = add_module(s, m->start, m->end);
	if (!line)
		return -1;
	return take_line(s, m->cmdline, left - sizeof(*m), line,
			 BOOT_MODULE_LINE);
}

static int mb2_mmap(struct parser *s, const void *body, size_t left)
{
	const struct mb2_mmap *m = body;
	const struct mb2_mmap_entry *e;
	size_t step;

	if (left < sizeof(*m))
		return refuse(s->why, "the memory map's tag is too short");
	step = m->entry_size;
	if (step < sizeof(*e))
		return refuse(s->why, "the memory map is garbage");
	left -= sizeof(*m);
	for (size_t at = 0; left - at >= step; at += step) {
		e = (const void *)(m->entries + at);
		if (add_range(s, e->start, e->length, e->type) < 0)
			return -1;
	}
	return 0;
}

static int mb2_memory(struct parser *s, const void *body, size_t left)
{
	const struct mb2_memory *m = body;

	if (left < sizeof(*m))
		return refuse(s->why, "the memory tag is too short");
	s->lower = m->lower;
	s->upper = m->upper;
	return 0;
}

/* The new RSDP has the 64-bit table, so it wins over the old one. */
static int mb2_rsdp(struct parser *s, bool is_new, size_t left)
{
	if (left < (is_new ? RSDP_NEW : RSDP_OLD))
		return refuse(s->why, "the RSDP's tag is too short");
	if (is_new || !s->b->rsdp)
		s->b->rsdp = s->at;
	return 0;
}

static int mb2_tag(struct parser *s, const struct mb2_tag *tag)
{
	const char *text = (const char *)tag->body;
	size_t left = tag->size - sizeof(*tag);

	switch (tag->type) {
	case TAG_CMDLINE:
		return take_line(s, text, left, s->b->cmdline, BOOT_CMDLINE);
	case TAG_MODULE:
		return mb2_module(s, tag->body, left);
	case TAG_MEMORY:
		return mb2_memory(s, tag->body, left);
	case TAG_MMAP:
		return mb2_mmap(s, tag->body, left);
	case TAG_RSDP_OLD:
	case TAG_RSDP_NEW:
		return mb2_rsdp(s, tag->type == TAG_RSDP_NEW, left);
	default:
		return 0;
	}
}

static int mb2_tags(struct parser *s, const u8 *block, u64 pa, size_t total)
{
	size_t at = sizeof(struct mb2_info);

	while (total - at >= sizeof(struct mb2_tag)) {
		const struct mb2_tag *tag = (const void *)(block + at);
		size_t step = ((size_t)tag->size + 7) & ~(size_t)7;

		if (tag->size < sizeof(*tag) || tag->size > total - at)
			return refuse(s->why, "a tag reaches out of the block");
		if (tag->type == TAG_END)
			return add_basic_memory(s);
		s->at = pa + at + sizeof(*tag);
		if (mb2_tag(s, tag) < 0)
			return -1;
		if (step > total - at)
			break;
		at += step;
	}
	return refuse(s->why, "the loader's block has no end tag");
}

static int mb2_parse(struct parser *s, u64 at)
{
	const struct mb2_info *info = phys_map(s->p, at, sizeof(*info));
	const u8 *block;
	size_t total;

	if (!info)
		return refuse(s->why, "the loader's block is unreadable");
	total = info->total_size;
	if (total < sizeof(*info) || total > BLOCK_MAX)
		return refuse(s->why, "the loader's block has an absurd size");
	block = phys_map(s->p, at, total);
	if (!block)
		return refuse(s->why, "the loader's block is cut off");
	return mb2_tags(s, block, at, total);
}

int bootinfo_parse(struct bootinfo *b, const struct phys *p, u32 magic,
		   u64 info, const char **why)
{
	struct parser s = {.b = b, .p = p, .why = why};

	__builtin_memset(b, 0, sizeof(*b));
	switch (magic) {
	case MULTIBOOT1_MAGIC:
		return mb1_parse(&s, info);
	case MULTIBOOT2_MAGIC:
		return mb2_parse(&s, info);
	default:
		return refuse(why, "the loader is not a multiboot loader");
	}
}

size_t bootinfo_busy(const struct bootinfo *b, struct mem_range *busy)
{
	for (size_t i = 0; i < b->n_modules; i++)
		busy[i] = (struct mem_range){b->module[i].start,
					     b->module[i].end, MEM_RAM};
	return b->n_modules;
}
