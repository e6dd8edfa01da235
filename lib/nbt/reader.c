/* SPDX-License-Identifier: Apache-2.0 */
/* From a file to its blocks. */
#include "lib/nbt/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/nbt/pack.h"

static void copy_text(char *to, size_t size, const char *from)
{
	memcpy(to, from, size);
	to[size - 1] = 0;
}

/* What the header says. A damaged one costs what it says, not the blocks. */
static int read_header(struct nbt_reader *r, struct err *err)
{
	struct nbt_info *info = &r->info;
	struct nbt_file_header h;

	if (r->size < sizeof(h))
		return err_set(err, "%s: %s", r->name,
			       r->size ? "too short for a trace"
				       : "an empty file, no trace");
	memcpy(&h, r->bytes, sizeof(h));
	info->damaged_header = h.sum != NBT_HEADER_SUM(&h, sum);
	if (info->damaged_header)
		return 0;
	if (h.magic != NBT_FILE_MAGIC || h.version != NBT_VERSION ||
	    h.size != sizeof(h))
		return err_set(err, "%s: a trace of version %u; this reads %d",
			       r->name, h.version, NBT_VERSION);
	copy_text(info->program, sizeof(info->program), h.program);
	copy_text(info->command, sizeof(info->command), h.command);
	copy_text(info->source, sizeof(info->source), h.source);
	info->codec = h.codec == NBT_ZSTD ? NBT_ZSTD : NBT_RAW;
	info->has_events = h.flags & NBT_HAS_EVENTS;
	r->id = h.id;
	r->has_id = true;
	return 0;
}

/* Whether it is worth looking for blocks: its header, or the first block's,
 * begins as it should. */
static bool is_trace(const struct nbt_reader *r)
{
	const u64 file = NBT_FILE_MAGIC, block = NBT_BLOCK_MAGIC;
	size_t at = sizeof(struct nbt_file_header);

	return (r->size >= 8 && !memcmp(r->bytes, &file, 8)) ||
	       (r->size >= at + 8 && !memcmp(r->bytes + at, &block, 8));
}

/* What the file's header would have said. */
static void info_of_block(struct nbt_reader *r)
{
	struct nbt_block_header h;

	if (!nbt_header(r, 0, &h))
		return;
	r->info.codec = h.codec;
	r->info.has_events = h.flags & NBT_HAS_EVENTS;
}

static int load(struct nbt_reader *r, struct err *err)
{
	if (!is_trace(r))
		return err_set(err, "%s: %s", r->name,
			       r->size ? "not a trace (.nbt)"
				       : "an empty file, no trace");
	if (read_header(r, err) < 0)
		return -1;
	if (nbt_load_index(r) < 0 && nbt_scan(r) < 0)
		return err_set(err, "%s: no memory for its index", r->name);
	if (!r->blocks)
		return err_set(err, "%s: a trace without a whole block",
			       r->name);
	if (r->info.damaged_header)
		info_of_block(r);
	return 0;
}

struct nbt_reader *nbt_open_bytes(const u8 *bytes, size_t size,
				  const char *name, struct err *err)
{
	struct nbt_reader *r = calloc(1, sizeof(*r));

	if (!r) {
		err_set(err, "%s: no memory", name);
		return NULL;
	}
	r->bytes = bytes;
	r->size = size;
	snprintf(r->name, sizeof(r->name), "%s", name);
	if (load(r, err) < 0) {
		nbt_close(r);
		return NULL;
	}
	return r;
}

static const u8 *map_file(int fd, const char *path, size_t *size,
			  struct err *err)
{
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "%s: not a file", path);
		return NULL;
	}
	*size = (size_t)st.st_size;
	if (!*size) {
		err_set(err, "%s: an empty file, no trace", path);
		return NULL;
	}
	bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		err_set(err, "%s: cannot be mapped: %s", path, strerror(errno));
		return NULL;
	}
	return bytes;
}

struct nbt_reader *nbt_open(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct nbt_reader *r;
	size_t size = 0;
	const u8 *bytes = map_file(fd, path, &size, err);

	if (fd >= 0)
		(void)close(fd);
	if (!bytes)
		return NULL;
	r = nbt_open_bytes(bytes, size, path, err);
	if (r)
		r->mapped = true;
	else
		(void)munmap((void *)(uintptr_t)bytes, size);
	return r;
}

void nbt_close(struct nbt_reader *r)
{
	if (!r)
		return;
	if (r->mapped)
		(void)munmap((void *)(uintptr_t)r->bytes, r->size);
	free(r->block);
	free(r);
}

const struct nbt_info *nbt_info(const struct nbt_reader *r)
{
	return &r->info;
}

size_t nbt_blocks(const struct nbt_reader *r)
{
	return r->blocks;
}

/* The last block that begins at @n or before; of those with events only, which
 * begin at the same access, that is the one with accesses. */
size_t nbt_seek(const struct nbt_reader *r, u64 n)
{
	size_t low = 0, high = r->blocks;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (r->block[middle].first <= n)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool nbt_header(const struct nbt_reader *r, size_t i,
		struct nbt_block_header *h)
{
	const struct nbt_place *place = &r->block[i];
	size_t left = r->size - place->at;

	return nbt_good_header(r->bytes + place->at, left,
			       r->has_id ? &r->id : NULL, h) &&
	       h->first == place->first && h->stored <= left - sizeof(*h);
}

int nbt_read(const struct nbt_reader *r, size_t i, struct nbt_block *b,
	     struct err *err)
{
	struct nbt_block_header h;
	const char *wrong;

	if (i >= r->blocks)
		return err_set(err, "%s: no block %zu", r->name, i);
	b->n = 0;
	b->runs = b->events = 0;
	if (!nbt_header(r, i, &h))
		wrong = "its header is damaged";
	else
		wrong = nbt_unpack_block(
			&h, r->bytes + r->block[i].at + sizeof(h), b);
	if (wrong)
		return err_set(err, "%s: block %zu: %s", r->name, i, wrong);
	return 0;
}
