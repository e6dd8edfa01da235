/* SPDX-License-Identifier: Apache-2.0 */
/* From accesses to a file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/nbt/event.h"
#include "lib/nbt/pack.h"
#include "lib/nbt/writer.h"

struct nbt_writer {
	struct nbt_pack pack;
	struct nbt_block_header h; /* of the block that is being filled */
	u32 event_at;		   /* of its last event */
	u32 physical;		   /* of its accesses, with such an address */
	int fd;
	char path[PATH_MAX];
	char temporary[PATH_MAX]; /* "" if @path itself is written to */
	struct err err;
	bool failed;
	u64 at; /* bytes written */
	u64 instructions;
	struct nbt_index_entry *index;
	size_t blocks, room;
};

static void fail(struct nbt_writer *w, const char *what, int error)
{
	if (!w->failed)
		err_set(&w->err, "%s: %s: %s", w->path, what, strerror(error));
	w->failed = true;
}

static void put(struct nbt_writer *w, const void *bytes, size_t n)
{
	const u8 *p = bytes;

	while (n && !w->failed) {
		ssize_t done = write(w->fd, p, n);

		if (done < 0 && errno != EINTR)
			fail(w, "cannot write", errno);
		if (done <= 0)
			continue;
		p += done;
		n -= (size_t)done;
		w->at += (u64)done;
	}
}

/* A file that is there already, and no device or pipe, is replaced by what
 * gets its name; where the name is a link, the file that it names is. */
static int open_temporary(struct nbt_writer *w)
{
	int n, fd = -1;

	for (unsigned i = 0; i < 1000; i++) {
		n = snprintf(w->temporary, sizeof(w->temporary),
			     "%s.%d-%u.part", w->path, (int)getpid(), i);
		if (n >= (int)sizeof(w->temporary)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			  0666);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

static int open_output(struct nbt_writer *w, const char *path, struct err *err)
{
	char *real = realpath(path, NULL);
	struct stat st;
	bool there = stat(path, &st) == 0;

	snprintf(w->path, sizeof(w->path), "%s", real ? real : path);
	free(real);
	if (there && S_ISDIR(st.st_mode))
		return err_set(err, "%s: is a folder", path);
	if (strlen(path) >= sizeof(w->path))
		return err_set(err, "%s: name too long", path);
	if (there && !S_ISREG(st.st_mode))
		w->fd = open(path, O_WRONLY | O_CLOEXEC);
	else
		w->fd = open_temporary(w);
	if (w->fd < 0)
		return err_set(err, "%s: cannot be created: %s", path,
			       strerror(errno));
	return 0;
}

static void put_header(struct nbt_writer *w, const struct nbt_info *info)
{
	struct nbt_file_header h = {
		.magic = NBT_FILE_MAGIC,
		.version = NBT_VERSION,
		.size = sizeof(h),
		.codec = info->codec,
		.flags = info->has_events ? NBT_HAS_EVENTS : 0,
	};

	snprintf(h.program, sizeof(h.program), "%s", info->program);
	snprintf(h.command, sizeof(h.command), "%s", info->command);
	snprintf(h.source, sizeof(h.source), "%s", info->source);
	h.id = (u32)NBT_HEADER_SUM(&h, sum);
	h.sum = NBT_HEADER_SUM(&h, sum);
	w->h.id = h.id;
	w->h.flags = (u8)h.flags;
	put(w, &h, sizeof(h));
}

static void end_writer(struct nbt_writer *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	if (w->temporary[0])
		(void)unlink(w->temporary);
	ZSTD_freeCCtx(w->pack.zstd);
	free(w->index);
	free(w);
}

struct nbt_writer *nbt_create(const char *path, const struct nbt_info *info,
			      struct err *err)
{
	struct nbt_writer *w = calloc(1, sizeof(*w));
	bool zstd = info->codec == NBT_ZSTD;

	if (w && zstd)
		w->pack.zstd = ZSTD_createCCtx();
	if (!w || (zstd && !w->pack.zstd)) {
		err_set(err, "%s: no memory", path);
		free(w);
		return NULL;
	}
	w->fd = -1;
	w->h.magic = NBT_BLOCK_MAGIC;
	if (open_output(w, path, err) < 0) {
		w->temporary[0] = 0;
		end_writer(w);
		return NULL;
	}
	put_header(w, info);
	return w;
}

static void add_index(struct nbt_writer *w, u64 at, size_t bytes)
{
	size_t room = w->room ? 2 * w->room : 64;
	struct nbt_index_entry *index = w->index;

	if (w->blocks == w->room) {
		index = realloc(index, room * sizeof(*index));
		if (!index) {
			fail(w, "index", ENOMEM);
			return;
		}
		w->index = index;
		w->room = room;
	}
	index[w->blocks++] = (struct nbt_index_entry){
		.at = at,
		.first = w->h.first,
		.n = w->h.n,
		.bytes = (u32)bytes,
	};
}

/* The next block begins, with the thread that runs now. */
static void next_block(struct nbt_writer *w, const struct nbt_run *now)
{
	struct nbt_block_header *h = &w->h;

	h->thread = now->thread;
	h->process = now->process;
	h->first += h->n;
	h->number++;
	h->n = h->runs = h->events = 0;
	h->instructions = 0;
	h->flags &= NBT_HAS_EVENTS;
	w->pack.event_bytes = 0;
	w->event_at = w->physical = 0;
}

static struct nbt_run last_run(const struct nbt_writer *w)
{
	const struct nbt_block_header *h = &w->h;

	if (h->runs)
		return w->pack.run[h->runs - 1];
	return (struct nbt_run){0, h->thread, h->process};
}

static void flush(struct nbt_writer *w)
{
	struct nbt_run now = last_run(w);
	u64 at = w->at;

	/* One without an access belongs to the next block. */
	if (w->h.runs && now.at == w->h.n)
		w->h.runs--;
	w->instructions += w->h.instructions;
	if (w->physical && w->physical != w->h.n)
		fail(w, "accesses without physical address", EINVAL);
	if (!w->failed) {
		size_t size = nbt_pack_block(&w->pack, &w->h);

		put(w, w->pack.out, size);
		add_index(w, at, size);
	}
	next_block(w, &now);
}

/* Sign-extended from bit 56, as the hardware has it. */
static u64 canonical(u64 addr)
{
	unsigned unused = 64 - NBT_ADDRESS_BITS;

	return (u64)((int64_t)(addr << unused) >> unused);
}

static inline void add(struct nbt_writer *w, u64 addr, u8 kind, u64 gap)
{
	struct nbt_pack *p = &w->pack;
	u32 n = w->h.n++;

	p->addr[n] = canonical(addr);
	p->kind[n] = kind;
	p->gap[n] = (u8)(gap < 255 ? gap : 255);
	w->h.instructions += gap;
}

void nbt_add(struct nbt_writer *w, u64 addr, u8 kind, u64 gap)
{
	add(w, addr, kind, gap);
	if (w->h.n == NBT_BLOCK)
		flush(w);
}

void nbt_add_physical(struct nbt_writer *w, u64 addr, u64 pa, u8 kind, u64 gap)
{
	w->pack.pa[w->h.n] = pa;
	w->h.flags |= NBT_HAS_PHYSICAL;
	w->physical++;
	add(w, addr, kind, gap);
	if (w->h.n == NBT_BLOCK)
		flush(w);
}

void nbt_thread(struct nbt_writer *w, u16 thread, u16 process)
{
	struct nbt_block_header *h = &w->h;
	struct nbt_run last = last_run(w);

	if (last.thread == thread && last.process == process)
		return;
	if (!h->n) {
		h->thread = thread;
		h->process = process;
		return;
	}
	if (last.at == h->n)
		h->runs--;
	w->pack.run[h->runs++] = (struct nbt_run){h->n, thread, process};
}

void nbt_put_event(struct nbt_writer *w, const struct nbt_event *e)
{
	struct nbt_pack *p = &w->pack;

	if (p->event_bytes >= NBT_EVENTS_MAX)
		flush(w);
	p->event_bytes += nbt_put_record(e, w->h.n - w->event_at,
					 p->event + p->event_bytes);
	w->event_at = w->h.n;
	w->h.events++;
}

void nbt_cut(struct nbt_writer *w)
{
	if (w->h.n || w->h.events)
		flush(w);
}

bool nbt_failed(const struct nbt_writer *w)
{
	return w->failed;
}

u64 nbt_written(const struct nbt_writer *w)
{
	return w->h.first + w->h.n;
}

static void put_index(struct nbt_writer *w)
{
	size_t bytes = w->blocks * sizeof(*w->index);
	struct nbt_footer f = {
		.magic = NBT_FOOTER_MAGIC,
		.id = w->h.id,
		.index_at = w->at,
		.blocks = w->blocks,
		.accesses = w->h.first,
		.instructions = w->instructions,
		.index_sum = nbt_sum(w->index, bytes),
	};

	f.sum = NBT_HEADER_SUM(&f, sum);
	put(w, w->index, bytes);
	put(w, &f, sizeof(f));
}

/* Everything is on the disk before it gets its name. */
static void close_output(struct nbt_writer *w)
{
	if (!w->failed && w->temporary[0] && fsync(w->fd) < 0)
		fail(w, "cannot write", errno);
	if (close(w->fd) < 0)
		fail(w, "cannot write", errno);
	w->fd = -1;
	if (w->failed || !w->temporary[0])
		return;
	if (rename(w->temporary, w->path) < 0)
		fail(w, "cannot rename", errno);
	else
		w->temporary[0] = 0;
}

int nbt_finish(struct nbt_writer *w, struct err *err)
{
	int result = 0;

	nbt_cut(w);
	if (!w->blocks && !w->failed) {
		err_set(&w->err, "%s: not written: there were no accesses",
			w->path);
		w->failed = true;
	}
	put_index(w);
	close_output(w);
	if (w->failed) {
		*err = w->err;
		result = -1;
	}
	end_writer(w);
	return result;
}

void nbt_abandon(struct nbt_writer *w)
{
	end_writer(w);
}
